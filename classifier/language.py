"""Which language a text is in: of all languages first; a detector restricted to six mislabels every other."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from classifier.normalise import normalise
from classifier.taxonomy import LANGUAGES

UNDETERMINED = "und"
UNCODED = "mis"
_SAMPLE_CHARS = 1_200
_ENOUGH_LETTERS = 120
_LETTER = re.compile(r"[^\W\d_]")
_FOREIGN_SCRIPT = re.compile(
    r"[\u0530-\u05ff\u0700-\u109f\u10a0-\u10ff\u1100-\u13ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\uac00-\ud7af]"
)
"""Scripts that none of the six uses: Armenian, Hebrew, Syriac, Indic, Thai, Georgian, Ethiopic, Khmer, kana, Hangul."""
_FOREIGN_LETTER = re.compile("[ğşıİățșőűøåłżźćńśąęžčřěůďťňđãõßäöþðāēīūĞŞĂȚȘŐŰØÅŁŻŹĆŃŚĄĘŽČŘĚŮĎŤŇĐÃÕÄÖÞÐĀĒĪŪ]")
"""Latin letters that none of the six uses but for names."""
_ENOUGH_FOREIGN_LETTERS = 2
_SCRIPTS = {
    "ar": re.compile(r"[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]"),
    "zh": re.compile(r"[\u3400-\u9fff\uf900-\ufaff]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
}


@lru_cache(maxsize=1)
def _detector() -> Any:
    from eld import LanguageDetector

    return LanguageDetector()


def sample(text: str) -> str:
    """Return up to 1,200 characters of ``text``, from its beginning, middle and end."""
    if len(text) <= _SAMPLE_CHARS:
        return text
    third = _SAMPLE_CHARS // 3
    middle = len(text) // 2
    return " ".join((text[:third], text[middle : middle + third], text[-third:]))


def detect(text: str) -> str:
    """Return the ISO 639-1 code of the language that most of ``text`` is in.

    One of the six unless the evidence is clearly for another language: its script, at least 120
    letters, or at least two letters that none of the six has.
    Disguised letters are undone first. ``und`` where there is no letter, ``mis`` for a script of none of the six that
    is not recognised.
    """
    piece = normalise(sample(text))
    letters = len(_LETTER.findall(piece))
    if not letters:
        return UNDETERMINED
    found = _detector().detect(piece)
    foreign = len(_FOREIGN_SCRIPT.findall(piece)) * 5 > letters
    if foreign:
        return str(found.language) if found.language and found.language not in LANGUAGES else UNCODED
    enough = letters >= _ENOUGH_LETTERS or len(_FOREIGN_LETTER.findall(piece)) >= _ENOUGH_FOREIGN_LETTERS
    if found.language in LANGUAGES or (found.language and enough):
        return str(found.language)
    for code, script in _SCRIPTS.items():
        if len(script.findall(piece)) * 2 > letters:
            return code
    scores = {code: score for code, score in found.scores().items() if code in ("en", "es", "fr")}
    return max(scores, key=lambda code: scores[code]) if scores else "en"


def supported(code: str) -> bool:
    """Return whether the classifier judges this language."""
    return code in LANGUAGES
