"""Cut a text into passages along sentences and paragraphs, with offsets into the text as given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

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


class Scale:
    """Weighs stretches of ``text``: a letter or digit counts one, a Chinese character three, a Chinese sign two.

    Blanks, other signs, marks and whatever else may be strewn between letters weigh nothing.
    """

    def __init__(self, text: str) -> None:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        weights = _weights()[np.minimum(codes, _PLANE)]
        for code in np.unique(codes[codes >= _PLANE]):
            weights[codes == code] = _weight(chr(code))
        self._before: NDArray[np.int64] = np.concatenate(([0], np.cumsum(weights, dtype=np.int64)))

    def weigh(self, start: int, end: int) -> int:
        """Return the weight of text[start:end]."""
        return int(self._before[end] - self._before[start])

    def reach(self, start: int, end: int, maximum: int) -> int:
        """Return how far text[start:end] goes before it weighs more than ``maximum``."""
        beyond = int(np.searchsorted(self._before, self._before[start] + maximum, side="right"))
        return min(end, beyond - 1)


_PLANE = 0xFFFF


@lru_cache(maxsize=1)
def _weights() -> NDArray[np.uint8]:
    """Return the weight of each character of the basic plane."""
    return np.array([_weight(chr(code)) for code in range(_PLANE + 1)], dtype=np.uint8)


def _weight(character: str) -> int:
    return bool(_LETTER.match(character)) + 2 * bool(_WIDE.match(character))


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
    scale = Scale(text)
    start = end = gathered = 0
    open_ = False
    for piece in _pieces(text, scale, maximum):
        size = scale.weigh(piece.start, piece.end)
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


def _pieces(text: str, scale: Scale, maximum: int) -> list[Span]:
    """Return the sentences of ``text``, stripped, the over-long ones cut."""
    pieces: list[Span] = []
    position = 0
    for match in _BOUNDARY.finditer(text):
        if match.end() > position:
            pieces.extend(_cut(text, scale, Span(position, match.end()), maximum))
            position = match.end()
    pieces.extend(_cut(text, scale, Span(position, len(text)), maximum))
    return pieces


def _cut(text: str, scale: Scale, piece: Span, maximum: int) -> list[Span]:
    """Return a piece of ``text``, stripped, as one span, or as several that weigh at most ``maximum``."""
    spans = []
    start, end = piece.start, piece.end
    while start < end:
        stop = scale.reach(start, min(end, start + _SPREAD * maximum), maximum)
        if stop < end:
            blank = text.rfind(" ", start, stop)
            if blank > start + (stop - start) // 2:
                stop = blank
        inside = text[start:stop]
        left = start + len(inside) - len(inside.lstrip())
        right = stop - len(inside) + len(inside.rstrip())
        if left < right:
            spans.append(Span(left, right))
        start = stop
    return spans
