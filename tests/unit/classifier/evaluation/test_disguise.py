import unicodedata
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.evaluation.disguise import disguise, kinds
from classifier.taxonomy import LANGUAGES

TEXTS = {
    "ar": "صفحة عن حديقة خلف البيت القديم",
    "zh": "这是一个关于图书馆和花园的网页",
    "en": "A page about the garden behind an old house",
    "fr": "Une page sur le jardin derrière la maison",
    "ru": "Страница про старый сад возле дома",
    "es": "Una página sobre el jardín de la casa",
}
ALL = [(language, kind) for language in LANGUAGES for kind in kinds(language)]


@pytest.mark.parametrize(("language", "kind"), ALL)
def test_every_kind_changes_text_of_its_languages_the_same_way_for_the_same_seed(language, kind):
    text = TEXTS[language]
    made = disguise(text, kind, Random(1))
    assert made != text
    assert made == disguise(text, kind, Random(1))
    if kind != "chinese_variant" and kind != "full_width":
        assert len({disguise(text, kind, Random(seed)) for seed in range(8)}) > 1


def test_every_language_has_the_kinds_that_touch_its_script():
    assert kinds("en") == kinds("fr") == kinds("es")
    assert kinds("en") == ("homoglyphs", "zero_width", "leetspeak", "spaced", "full_width", "mixed")
    assert kinds("ru") == ("homoglyphs", "zero_width", "leetspeak", "spaced", "mixed")
    assert kinds("ar") == ("zero_width", "spaced", "arabic_marks", "mixed")
    assert kinds("zh") == ("zero_width", "spaced", "chinese_variant", "mixed")


def test_what_each_kind_does():
    text = TEXTS["en"]
    assert unicodedata.normalize("NFKC", disguise(text, "full_width", Random(0))) == text
    assert not disguise(text, "homoglyphs", Random(0)).isascii()
    assert any(c.isdigit() or c in "@$!" for c in disguise(text, "leetspeak", Random(0)))
    hidden = disguise(text, "zero_width", Random(0))
    assert "".join(c for c in hidden if unicodedata.category(c) != "Cf") == text
    apart = disguise(text, "spaced", Random(0))
    assert "".join(c for c in apart if c.isalpha()) == text.replace(" ", "")
    marked = disguise(TEXTS["ar"], "arabic_marks", Random(0))
    assert "".join(c for c in marked if unicodedata.category(c) != "Mn" and c != "\u0640") == TEXTS["ar"]
    assert "這" in disguise(TEXTS["zh"], "chinese_variant", Random(0))
    assert disguise("這是圖書館", "chinese_variant", Random(0)) == "这是图书馆"


def test_a_share_of_the_words_leaves_the_others():
    text = " ".join(f"word{'abcdefghij'[i % 10]}" for i in range(400))
    changed = sum(
        a != b for a, b in zip(text.split(), disguise(text, "full_width", Random(5), share=0.25).split(), strict=True)
    )
    assert 60 < changed < 140
    assert disguise(text, "full_width", Random(5), share=0.0) == text


def test_short_words_and_numbers_stay():
    assert disguise("It is 1984 at 10.", "mixed", Random(1)) == "It is 1984 at 10."


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="unknown disguise 'wig'"):
        disguise("x", "wig", Random(0))


@given(st.text(), st.sampled_from(sorted({kind for _, kind in ALL} - {"chinese_variant"})), st.integers())
def test_any_text_is_taken(text, kind, seed):
    assert isinstance(disguise(text, kind, Random(seed)), str)
