import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.passages import Scale, split

SENTENCES = {
    "ar": "هذه جملة قصيرة عن الحديقة. ",
    "zh": "这是一句关于花园的话。",
    "en": "This is a short sentence about a garden. ",
    "fr": "Voici une phrase courte sur le jardin. ",
    "ru": "Это короткое предложение о саде. ",
    "es": "Esta es una frase corta sobre el jardín. ",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_passages_end_where_sentences_end(language):
    text = SENTENCES[language] * 60
    spans = split(text)
    assert len(spans) > 1
    assert all(text[span.start : span.end].rstrip()[-1] in ".。" for span in spans)


@given(st.text(max_size=3000))
def test_passages_are_in_order_do_not_overlap_and_lose_only_white_space(text):
    spans = split(text)
    position = 0
    for span in spans:
        assert span.start >= position
        assert not text[position : span.start].strip()
        assert span.end > span.start
        position = span.end
    assert not text[position:].strip()


@settings(max_examples=30)
@given(st.text(st.characters(categories=["L"]), min_size=800, max_size=1500))
def test_one_endless_word_is_cut(text):
    scale = Scale(text)
    assert all(scale.weigh(span.start, span.end) <= 700 for span in split(text))


def test_letters_weigh_one_chinese_characters_three_and_what_is_strewn_nothing():
    text = "aé1 \u200b.ش\u0640中。😀𠀀\ud800"
    scale = Scale(text)
    assert [scale.weigh(i, i + 1) for i in range(len(text))] == [1, 1, 1, 0, 0, 0, 1, 0, 3, 2, 0, 1, 0]
    assert scale.reach(0, len(text), 4) == 8
    assert scale.reach(0, 5, 100) == 5


def test_white_space_alone_has_no_passage():
    assert split(" \n\t ") == []


def test_a_paragraph_is_kept_whole_where_it_fits():
    text = "One line.\n" + "Word " * 60 + "\nAnother line."
    assert text[split(text)[0].start : split(text)[0].end].startswith("One line.\nWord")


@pytest.mark.parametrize(
    "between", ["\u200b", "-", "\u0640", "\u064e", "."], ids=["zero width", "-", "tatweel", "mark", "."]
)
def test_what_is_strewn_between_letters_does_not_move_the_cuts(between):
    words = ["حديقة" if between > "\u0600" and between < "\u0700" else "garden"] * 400
    plain = split(" ".join(words))
    strewn_text = " ".join(between.join(word) for word in words)
    strewn = split(strewn_text)
    letters = [strewn_text[span.start : span.end].replace(between, "").count(" ") for span in strewn]
    assert letters == [" ".join(words)[span.start : span.end].count(" ") for span in plain]
    assert len(plain) > 3


def test_a_long_sentence_is_cut_at_white_space():
    text = "garden " * 500
    spans = split(text)
    assert len(spans) >= 5
    assert all(text[span.start : span.end].startswith("garden") for span in spans)
    assert all(text[span.start : span.end].endswith("garden") for span in spans)


def test_signs_without_letters_are_cut_too():
    spans = split("…!" * 10_000)
    assert len(spans) > 2
    assert spans[-1].end == 20_000
