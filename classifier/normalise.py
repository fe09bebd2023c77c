"""Undo what people do to words so that a filter does not see them; for judging only, never for showing.

The result has no offsets: passages are cut from the text as given, then normalised one by one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache, partial
from itertools import islice, product
from typing import Any

from classifier.lexicon import label_words, mentions

_LATIN_LIKE = dict(
    zip("асеорхуіјѕԁһӏԛԝАВЕКМНОРСТХУЅІЈ" "αορνιτεκυςΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" "ɑɡıɩ",
        "aceopxyijsdhlqwABEKMHOPCTXYSIJ" "aopvitekucABEZHIKMNOPTYX" "agii", strict=True)
)  # fmt: skip
"""Cyrillic, Greek and odd Latin letters that pass for a Latin one."""
_CYRILLIC_LIKE = dict(
    zip("aceopxyABEKMHOPCTXYkmtuοκτρυΑΒΕΗΚΜΟΡΤΧɑ", "асеорхуАВЕКМНОРСТХУкмтиоктруАВЕНКМОРТХа", strict=True)
)
"""Latin and Greek letters that pass for a Cyrillic one."""
_LEET = {
    "0": "o",
    "1": "il",
    "3": "e",
    "4": "a",
    "5": "s",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "il",
    "€": "e",
}
_LEET_CYRILLIC = {"0": "о", "1": "и", "3": "з", "4": "ча", "6": "б", "7": "т", "8": "в", "@": "а"}
_MOST_READINGS = 16
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_CYRILLIC = re.compile(r"[\u0400-\u052f]")
_OTHER_LETTER = re.compile(r"[\u0251\u0261\u0269\u0370-\u03ff]")
_SCRIPTS = {"latin": (_LATIN, _LATIN_LIKE), "cyrillic": (_CYRILLIC, _CYRILLIC_LIKE)}

_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_ARABIC_MARKS = re.compile(r"[\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]")
_STACKED = re.compile(r"[\u0300-\u036f]+")
"""Combining marks that NFKC could not compose with a Latin or Cyrillic letter."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LETTERS = re.compile(r"[^\W\d_]+")
_SPACED = re.compile(r"(?<![^\W_])([^\W\d_])([ .*_·\-–/|~+]{1,2})([^\W\d_])(?:\2[^\W\d_])+(?![^\W_])")
_LEET_WORD = re.compile(r"(?<![\w@$!€])[^\W\d_]*[013456789@$!€][\w@$!€]*")
_LEET_SIGN = re.compile("[013456789@$!€]")
_NO_LEET = re.compile(r"\d+\w{1,2}|\d+[^\W\d_]{3}|[^\W\d_]+\d+|[^\W\d_]+!+|[$€]?\d+[$€]?|\W+")
"""Numbers with a unit, names with a number, emphasis, prices."""
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
        text = _STACKED.sub("", text)
        if sum(bool(kind.search(text)) for kind in (_LATIN, _CYRILLIC, _OTHER_LETTER)) > 1:
            text = _LETTERS.sub(partial(_one_script, usual=_script(text)), text)
        text = _CJK_SPACED.sub("", text)
        if _HAN.search(text):
            text = str(_simplifier().convert(text))
    text = _SPACED.sub(_join, text)
    if _LEET_SIGN.search(text):
        text = _LEET_WORD.sub(_unleet, text)
    if "  " in text or "\t" in text:
        text = _SPACE.sub(" ", text)
    return text.strip()


@lru_cache(maxsize=1)
def _simplifier() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


def _script(text: str) -> str:
    """Return the script of most letters of ``text`` that only one script has: ``latin``, ``cyrillic`` or neither."""
    latin = sum(c not in _CYRILLIC_LIKE for c in _LATIN.findall(text))
    cyrillic = sum(c not in _LATIN_LIKE for c in _CYRILLIC.findall(text))
    return "latin" if latin > 3 * cyrillic else "cyrillic" if cyrillic > 3 * latin else ""


def _one_script(match: re.Match[str], *, usual: str) -> str:
    return _in_one_script(match.group(), usual)


@lru_cache(maxsize=20_000)
def _in_one_script(word: str, usual: str) -> str:
    """Bring a word of look-alikes into one script: of its own letters that only one has, else of the text."""
    latin = any(c not in _CYRILLIC_LIKE for c in _LATIN.findall(word))
    cyrillic = any(c not in _LATIN_LIKE for c in _CYRILLIC.findall(word))
    script = usual if latin == cyrillic else "latin" if latin else "cyrillic"
    own, table = _SCRIPTS.get(script, (None, {}))
    if own is None or not all(own.match(c) or c in table for c in word):
        return word  # of neither script, or of a third one, and no disguise
    return "".join(c if own.match(c) else table[c] for c in word)


def _join(match: re.Match[str]) -> str:
    """Join a word written letter by letter."""
    return match.group().replace(match.group(2), "")


def _unleet(match: re.Match[str]) -> str:
    """Read digits and signs inside a word as letters; of several readings, the one that names the subject."""
    word = match.group()
    cyrillic = bool(_CYRILLIC.search(word))
    if not 3 <= len(word) <= 24 or _NO_LEET.fullmatch(word) or not (cyrillic or _LATIN.search(word)):
        return word
    table = _LEET_CYRILLIC if cyrillic else _LEET
    readings = ["".join(letters) for letters in islice(product(*(table.get(c, c) for c in word)), _MOST_READINGS)]
    if len(readings) == 1:
        return readings[0]
    known = label_words(readings).sum(axis=1) + mentions(readings).sum(axis=1)
    return readings[int(known.argmax())]
