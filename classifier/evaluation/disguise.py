"""Disguise words as people do so that a filter does not read them; a reader still does.

`disguise` is a pure function: the same text, kind and state of ``random`` give the same result. It serves two ends:
`guidewatch evaluate --disguised` measures what disguises cost, and training may use it to make variants of passages.
It is written apart from `classifier.normalise`, with look-alikes that the latter need not know, so that the one
measures the other.

========================  =============================================================  =====================
kind                      what it does to a word                                         languages
========================  =============================================================  =====================
``homoglyphs``            some letters become look-alikes of another script              en, fr, es, ru
``zero_width``            invisible characters between letters                           all
``leetspeak``             digits and signs for letters                                   en, fr, es, ru
``spaced``                every letter apart, by blanks, hyphens, dots …                 all
``full_width``            the wide forms of ASCII letters                                en, fr, es
``arabic_marks``          vowel signs on letters and tatweel between them                ar
``chinese_variant``       traditional characters for simplified ones, or the reverse     zh (needs ``opencc``)
``mixed``                 any of the others, word by word                                all
========================  =============================================================  =====================
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from random import Random
from typing import Any

from classifier.taxonomy import LANGUAGES

_HAN = "\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_HAN}]+|(?:(?![{_HAN}])[^\W\d_])+")
_SHORTEST = {"han": 2, "other": 3}

_LOOKALIKES = {
    "a": "аɑ", "c": "сϲ", "d": "ԁ", "e": "е", "g": "ɡ", "h": "һ", "i": "іı", "j": "ј", "l": "ӏ", "o": "оο", "p": "рρ",
    "q": "ԛ", "s": "ѕ", "u": "υ", "v": "ν", "w": "ԝ", "x": "х", "y": "у", "A": "АΑ", "B": "ВΒ", "C": "С", "E": "ЕΕ",
    "H": "НΗ", "I": "ІΙ", "J": "Ј", "K": "КΚ", "M": "МΜ", "N": "Ν", "O": "ОΟ", "P": "РΡ", "S": "Ѕ", "T": "ТΤ", "X": "Х",
    "Y": "Υ", "Z": "Ζ", "а": "aɑ", "е": "e", "о": "oο", "р": "p", "с": "c", "у": "y", "х": "x", "к": "κ", "и": "u",
    "т": "τ", "А": "AΑ", "В": "B", "Е": "E", "К": "K", "М": "M", "Н": "H", "О": "OΟ", "Р": "P", "С": "C", "Т": "T",
    "Х": "X", "У": "Y",
}  # fmt: skip
_LEET = {
    "a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7", "b": "8", "g": "9", "l": "1",
    "о": "0", "з": "3", "ч": "4", "б": "6", "а": "@4", "в": "8", "т": "7",
}  # fmt: skip
_INVISIBLE = "\u200b\u200c\u200d\u2060\u00ad\ufeff"
_SEPARATORS = " -._*·"
_MARKS = "\u064b\u064e\u064f\u0650\u0651\u0652"
_TATWEEL = "\u0640"
_OFTEN = 0.6


def kinds(language: str) -> tuple[str, ...]:
    """Return the disguises that change text of one of the six languages; ``mixed`` comes last."""
    own = [kind for kind, (languages, _) in _KINDS.items() if language in languages]
    if language == "zh" and find_spec("opencc"):
        own.append("chinese_variant")
    return (*own, "mixed")


def disguise(text: str, kind: str, random: Random, *, share: float = 1.0) -> str:
    """Return ``text`` with words disguised.

    Parameters
    ----------
    text
        In any language; words of a script that ``kind`` does not touch stay as they are.
    kind
        See the table above.
    random
        Chooses the words and the letters in them.
    share
        Of the words of three letters or more (of Chinese: pieces of two to four characters) that are disguised.
        ``chinese_variant`` always changes the whole text.

    Raises
    ------
    ValueError
        There is no such kind.
    """
    if kind == "chinese_variant":
        return _other_characters(text)
    if kind not in (*_KINDS, "mixed"):
        raise ValueError(f"unknown disguise {kind!r}: choose one of {', '.join((*_KINDS, 'chinese_variant', 'mixed'))}")

    def changed(match: re.Match[str]) -> str:
        return "".join(
            _disguised(word, kind, random)
            if len(word) >= _SHORTEST[_script(word[0])] and random.random() < share
            else word
            for word in _words(match.group(), random)
        )

    return _WORD.sub(changed, text)


def _script(letter: str) -> str:
    return "han" if re.match(f"[{_HAN}]", letter) else "other"


def _words(run: str, random: Random) -> list[str]:
    """Return a run of letters as words: itself, or pieces of a Chinese run, which has no spaces."""
    if _script(run[0]) == "other":
        return [run]
    pieces, start = [], 0
    while start < len(run):
        size = random.randint(2, 4)
        pieces.append(run[start : start + size])
        start += size
    return pieces


def _disguised(word: str, kind: str, random: Random) -> str:
    if kind != "mixed":
        return _KINDS[kind][1](word, random)
    ways = [way for _, way in _KINDS.values()]
    random.shuffle(ways)
    return next((found for way in ways if (found := way(word, random)) != word), word)


def _replaced(word: str, table: dict[str, str], random: Random) -> str:
    """Return the word with some letters replaced, one at the least where there is one to replace."""
    places = [i for i, letter in enumerate(word) if letter in table]
    if not places:
        return word
    chosen = [i for i in places if random.random() < _OFTEN] or [random.choice(places)]
    letters = list(word)
    for i in chosen:
        letters[i] = random.choice(table[letters[i]])
    return "".join(letters)


def _homoglyphs(word: str, random: Random) -> str:
    return _replaced(word, _LOOKALIKES, random)


def _leetspeak(word: str, random: Random) -> str:
    return _replaced(word, _LEET | {letter.upper(): signs for letter, signs in _LEET.items()}, random)


def _zero_width(word: str, random: Random) -> str:
    gaps = [i for i in range(1, len(word)) if random.random() < _OFTEN] or [len(word) // 2]
    return "".join((random.choice(_INVISIBLE) if i in gaps else "") + letter for i, letter in enumerate(word))


def _spaced(word: str, random: Random) -> str:
    separator = random.choice(_SEPARATORS)
    apart = separator.join(word)
    return f" {apart} " if separator == " " else apart


def _full_width(word: str, random: Random) -> str:  # noqa: ARG001  as all kinds
    return "".join(chr(ord(letter) + 0xFEE0) if letter.isascii() else letter for letter in word)


def _arabic_marks(word: str, random: Random) -> str:
    if not any("\u0620" <= letter <= "\u064a" for letter in word):
        return word
    letters = []
    for i, letter in enumerate(word):
        letters.append(letter)
        if random.random() < _OFTEN:
            letters.append(random.choice(_MARKS))
        if i < len(word) - 1 and random.random() < _OFTEN / 2:
            letters.append(_TATWEEL * random.randint(1, 3))
    return "".join(letters)


def _other_characters(text: str) -> str:
    """Return simplified Chinese in traditional characters, and text that is traditional already in simplified ones."""
    traditional = str(_converter("s2t").convert(text))
    return traditional if traditional != text else str(_converter("t2s").convert(text))


@lru_cache(maxsize=2)
def _converter(direction: str) -> Any:
    from opencc import OpenCC

    return OpenCC(direction)


_KINDS: dict[str, tuple[tuple[str, ...], Callable[[str, Random], str]]] = {
    "homoglyphs": (("en", "fr", "ru", "es"), _homoglyphs),
    "zero_width": (LANGUAGES, _zero_width),
    "leetspeak": (("en", "fr", "ru", "es"), _leetspeak),
    "spaced": (LANGUAGES, _spaced),
    "full_width": (("en", "fr", "es"), _full_width),
    "arabic_marks": (("ar",), _arabic_marks),
}
