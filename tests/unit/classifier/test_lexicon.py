import numpy as np
import pytest

from classifier.lexicon import mentions


@pytest.mark.parametrize(
    "text",
    ["a pistol", "un fusil", "una escopeta", "самодельное ружьё", "一把手枪", "بندقية قديمة", "AMMUNITION"],
)
def test_words_of_the_subject_are_seen_in_six_languages(text):
    assert mentions([text])[0, 0] > 0


@pytest.mark.parametrize(
    "text", ["a barrel of wine", "un canon de beauté", "el gatillo", "спуск на воду", "射击游戏", "مخزن الحبوب"]
)
def test_words_with_other_meanings_are_weak(text):
    assert mentions([text])[0].tolist() == [0.0, pytest.approx(np.log(2))]


def test_other_texts_and_no_texts_have_none():
    assert mentions(["The garden lies behind the old house."]).tolist() == [[0.0, 0.0]]
    assert mentions([]).shape == (0, 2)
