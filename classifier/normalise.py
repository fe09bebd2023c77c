"""Undo what people do to words so that a filter does not see them; for judging only, never for showing.

The result has no offsets: passages are cut from the text as given, then normalised one by one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

_LATIN_FOR_CYRILLIC = dict(zip("асеорхуіјѕԁһӏАВЕКМНОРСТХУ", "aceopxyijsdhlABEKMHOPCTXY", strict=True))
_CYRILLIC_FOR_LATIN = dict(zip("aceopxyABEKMHOPCTXkmt", "асеорхуАВЕКМНОРСТХкмт", strict=True))
_LATIN_FOR_GREEK = dict(zip("αορνιτεκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aopvitekABEZHIKMNOPTYX", strict=True))
_LEET = str.maketrans("013457@$!€", "oieastasie")
_LEET_CYRILLIC = str.maketrans("01346@", "оизчба")
_CYRILLIC = re.compile(r"[\u0400-\u052f]")
_LATIN = re.compile(r"[A-Za-z]")

_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_ARABIC_MARKS = re.compile(r"[\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LETTERS = re.compile(r"[^\W\d_]+")
_SPACED = re.compile(r"(?<![^\W_])([^\W\d_])([ .*_·\-–/|~+]{1,2})([^\W\d_])(?:\2[^\W\d_])+(?![^\W_])")
_LEET_WORD = re.compile(r"(?<![\w@$!€])[^\W\d_]*[0134567@$!€][\w@$!€]*")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_CJK_SPACED = re.compile(r"(?<=[\u4e00-\u9fff])[ *·.\-_~|/+]{1,2}(?=[\u4e00-\u9fff])")
_SPACE = re.compile(r"[ \t\r\f\v\u00a0]+")


def normalise(text: str) -> str:
    """Return ``text`` as a filter should read it.

    NFKC; control, zero-width and bidirectional characters, stacked accents, Arabic diacritics and tatweel
    dropped; look-alike letters brought back into the script of their word; traditional Chinese characters as
    simplified ones; leetspeak and s-p-a-c-e-d words read as words. Never raises.
    """
    text = _CONTROL.sub(" ", text)
    text = unicodedata.normalize("NFKC", text)
    text = _INVISIBLE.sub("", text)
    if not text.isascii():
        text = _ARABIC_MARKS.sub("", text)
        text = _strip_stacked(text)
        text = _LETTERS.sub(_one_script, text)
        text = _CJK_SPACED.sub("", text)
        if _HAN.search(text):
            text = str(_simplifier().convert(text))
    text = _SPACED.sub(_join, text)
    text = _LEET_WORD.sub(_unleet, text)
    return _SPACE.sub(" ", text).strip()


@lru_cache(maxsize=1)
def _simplifier() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


def _strip_stacked(text: str) -> str:
    """Drop combining marks that NFKC could not compose with a Latin or Cyrillic letter."""
    if not any("\u0300" <= c <= "\u036f" for c in text):
        return text
    return "".join(c for c in text if not "\u0300" <= c <= "\u036f")


def _one_script(match: re.Match[str]) -> str:
    """Bring a word of mixed scripts into the script that most of its letters have."""
    word = match.group()
    if word.isascii():
        return word
    latin = sum(c.isascii() or "\u00c0" <= c <= "\u024f" for c in word)
    cyrillic = sum("\u0400" <= c <= "\u052f" for c in word)
    greek = sum("\u0370" <= c <= "\u03ff" for c in word)
    if not latin or not (cyrillic or greek):
        return word
    if cyrillic > latin:
        return "".join(_CYRILLIC_FOR_LATIN.get(c, c) for c in word)
    return "".join(_LATIN_FOR_CYRILLIC.get(c) or _LATIN_FOR_GREEK.get(c, c) for c in word)


def _join(match: re.Match[str]) -> str:
    """Join a word written letter by letter."""
    return match.group().replace(match.group(2), "")


def _unleet(match: re.Match[str]) -> str:
    """Read digits and signs inside a word as letters, unless the word looks like a number with a unit."""
    word = match.group()
    letters = sum(c.isalpha() for c in word)
    if (
        not 3 <= len(word) <= 24
        or letters * 2 < len(word)
        or re.fullmatch(r"\d+\w{1,3}|[^\W\d_]+\d+|[^\W\d_]+!+", word)
    ):
        return word
    if _CYRILLIC.search(word):
        return word.translate(_LEET_CYRILLIC)
    return word.translate(_LEET) if _LATIN.search(word) else word
