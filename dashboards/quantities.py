"""Masking of quantities in the six languages, so that what people see in lists teaches nothing."""

from __future__ import annotations

import json
import re
from importlib import resources

MASK = "▮"

_WORDS = json.loads((resources.files("dashboards") / "quantities.json").read_text("utf-8"))


def _any_of(words: str) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words.split()), key=len, reverse=True))


_UNITS = _any_of(" ".join(_WORDS["units"].values()))
_NUMBERS = _any_of(" ".join(_WORDS["number_words"].values()))
_CHINESE_UNITS = _any_of(_WORDS["chinese_units"])

_DIGIT = r"[\d¼½¾⅐-⅞⅟↉⁰¹²³⁴-⁹₀-₉①-⒛⓪]"
_NUMBER = rf"[.,٫]?{_DIGIT}(?:[.,٫٬'’:/⁄\u00a0\u202f×xхX*-]?{_DIGIT})*"
_SIGN = r"(?:[%‰٪°℃℉″′\"”]+\s?[CFС]?(?!\w))"
_UNIT = rf"(?:{_SIGN}|(?:{_UNITS})(?!\w)|{_CHINESE_UNITS})"
_QUANTITY = re.compile(
    rf"{_NUMBER}(?:[\s-]{{0,2}}{_UNIT})?"
    rf"|(?<!\w)(?:{_NUMBERS})[\s-]{{1,2}}{_UNIT}"
    rf"|[{_WORDS['chinese_numerals']}]+\s?(?:{_CHINESE_UNITS})",
    re.IGNORECASE,
)


def mask_quantities(text: str) -> str:
    """Return ``text`` with every number, and its unit where it has one, as ``▮``.

    Digits of any script count, alone or inside a word, as do fractions; numbers in words (Chinese numerals included)
    count when a unit follows.
    """
    return _QUANTITY.sub(MASK, text)
