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
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open character offsets."""

    start: int
    end: int


def weight(text: str) -> int:
    """Return the length of ``text`` in letters, a Chinese character counting as three."""
    return len(text) + 2 * len(_WIDE.findall(text))


def split(text: str, *, target: int = 420, maximum: int = 700, paragraph: int = 200) -> list[Span]:
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
    for piece in _pieces(text, maximum):
        size = weight(text[piece.start : piece.end])
        if gathered and gathered + size > maximum:
            passages.append(Span(start, end))
            gathered = 0
        if not gathered:
            start = piece.start
        end = piece.end
        gathered += size
        ends_paragraph = "\n" in text[end : end + 3]
        if gathered >= target or (gathered >= paragraph and ends_paragraph):
            passages.append(Span(start, end))
            gathered = 0
    if gathered:
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
        stop = end
        if weight(text[start : min(end, start + maximum + 1)]) > maximum:
            stop = start + maximum
            while weight(text[start:stop]) > maximum:
                stop = start + (stop - start) // 2
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
