"""Cut a text into passages along sentences and paragraphs, with offsets into the text as given."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BOUNDARY = re.compile(
    r"\n+"  # paragraphs, list items, headings
    r"|(?<=[.!?…])[\"'»”’)\]]*\s+"  # Latin and Cyrillic sentences
    r"|(?<=[。！？；])[”’」』）]*\s*"  # Chinese
    r"|(?<=[؟؛])\s*"  # Arabic
)
_LETTER = re.compile(r"[^\W_\u0640]")
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]")
_SPREAD = 10
"""Characters that may stand for one letter: a passage of fewer letters than that is cut, however little it says."""


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open character offsets."""

    start: int
    end: int


def weight(text: str) -> int:
    """Return how many letters and digits ``text`` has, a Chinese character counting as three.

    Blanks, signs, marks and whatever else may be strewn between letters weigh nothing.
    """
    return len(_LETTER.findall(text)) + 2 * len(_WIDE.findall(text))


def split(text: str, *, target: int = 350, maximum: int = 580, paragraph: int = 165) -> list[Span]:
    """Return the passages of ``text``, in order, without overlap.

    Sentences are gathered until a passage weighs about ``target`` letters (some 70 words; a Chinese character
    weighs three), or at the end of a paragraph ``paragraph``; a sentence that alone weighs more than ``maximum``
    is cut at white space, or anywhere.

    Returns
    -------
    list of Span
        Empty where the text has nothing but white space.
    """
    passages: list[Span] = []
    start = end = gathered = 0
    open_ = False
    for piece in _pieces(text, maximum):
        size = weight(text[piece.start : piece.end])
        if open_ and (gathered + size > maximum or piece.end - start > _SPREAD * maximum):
            passages.append(Span(start, end))
            open_ = False
        if not open_:
            start, gathered, open_ = piece.start, 0, True
        end = piece.end
        gathered += size
        ends_paragraph = "\n" in text[end : end + 3]
        if gathered >= target or (gathered >= paragraph and ends_paragraph):
            passages.append(Span(start, end))
            open_ = False
    if open_:
        passages.append(Span(start, end))
    return passages


def _pieces(text: str, maximum: int) -> list[Span]:
    """Return the sentences of ``text``, stripped, the over-long ones cut."""
    pieces: list[Span] = []
    position = 0
    for match in _BOUNDARY.finditer(text):
        if match.end() > position:
            pieces.extend(_cut(text, position, match.end(), maximum))
            position = match.end()
    pieces.extend(_cut(text, position, len(text), maximum))
    return pieces


def _cut(text: str, start: int, end: int, maximum: int) -> list[Span]:
    """Return text[start:end] as one span, or as several that weigh at most ``maximum``."""
    spans = []
    while start < end:
        stop = _reach(text, start, end, maximum)
        if stop < end:
            blank = text.rfind(" ", start, stop)
            if blank > start + (stop - start) // 2:
                stop = blank
        left, right = start, stop
        while left < right and text[left].isspace():
            left += 1
        while right > left and text[right - 1].isspace():
            right -= 1
        if left < right:
            spans.append(Span(left, right))
        start = stop
    return spans


def _reach(text: str, start: int, end: int, maximum: int) -> int:
    """Return how far text[start:end] goes before it weighs more than ``maximum``."""
    most = min(end, start + _SPREAD * maximum)
    if weight(text[start:most]) <= maximum:
        return most
    weighed = 0
    for match in _LETTER.finditer(text, start, most):
        weighed += 3 if _WIDE.match(match.group()) else 1
        if weighed > maximum:
            return match.start()
    return most
