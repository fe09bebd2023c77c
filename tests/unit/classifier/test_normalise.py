import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.normalise import normalise

DISGUISED = [
    ("a w0rd ab0ut a g4rden", "a word about a garden"),
    ("c@ses and $helves", "cases and shelves"),
    ("g-a-r-d-e-n shed", "garden shed"),
    ("g.a.r.d.e.n.s", "gardens"),
    ("g a r d e n", "garden"),
    ("gar\u200bden", "garden"),
    ("g\u00adarden \u202egate\u202c", "garden gate"),
    ("g\u0334a\u0336rden", "garden"),
    ("gаrdеn", "garden"),
    ("пpивeт", "привет"),
    ("с4д и 0город", "счд и огород"),
    ("ｇａｒｄｅｎ", "garden"),
    ("حَدِيقَـــة", "حديقة"),
    ("花 园", "花园"),
    ("花*园*里", "花园里"),
]
UNTOUCHED = ["wow!! 2nd mp3 3D 12kg a4 covid19", "e-mail à l'école", "É, ñ, й, ё, ç", "A B testing", "第1步"]


@pytest.mark.parametrize(("written", "read"), DISGUISED)
def test_disguised_words_are_read(written, read):
    assert normalise(written) == read


@pytest.mark.parametrize("text", UNTOUCHED)
def test_ordinary_text_is_left_alone(text):
    assert normalise(text) == text


@given(st.text(st.characters(), max_size=500))
def test_any_text_is_normalised_without_surrogates_or_controls(text):
    done = normalise(text)
    assert not any(0xD800 <= ord(c) <= 0xDFFF or (ord(c) < 0x20 and c not in "\n\t") for c in done)
    done.encode()


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("саrbіnе", "carbine"),
        ("а gаrdеn wіth ϲаrrοts", "a garden with carrots"),
        ("это uнструкцuя для сада", "это инструкция для сада"),
        ("стол и κροвать", "стол и кровать"),
        ("Это сопка, и это РС", "Это сопка, и это РС"),
        ("un jardín y una раlа", "un jardín y una pala"),
        ("ελληνικά", "ελληνικά"),
    ],
)
def test_look_alikes_go_back_into_the_script_that_the_word_or_the_text_has(disguised, plain):
    assert normalise(disguised) == plain


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("p15t0l", "pistol"),
        ("r1fl3", "rifle"),
        ("my p1st01", "my pistol"),
        ("8arre1", "barrel"),
        ("п1ст0л3т", "пистолзт"),
        ("пи57олет", "пи5толет"),
        ("3d 24h 1st ak47 m16 mp3 100$ 2026 hello!! $5", "3d 24h 1st ak47 m16 mp3 100$ 2026 hello!! $5"),
    ],
)
def test_of_several_readings_of_leetspeak_the_one_that_names_the_subject_is_taken(disguised, plain):
    assert normalise(disguised) == plain
