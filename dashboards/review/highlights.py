"""The full text cut into paragraphs and stretches, so that the scored passages can be marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from events import Passage

STRONG = 0.5


@dataclass(frozen=True)
class Stretch:
    """A piece of one paragraph; ``level`` is 0 outside passages, 1 in a weak and 2 in a strong one."""

    text: str
    level: int = 0
    score: float = 0.0


def paragraphs(text: str, passages: Sequence[Passage]) -> list[list[Stretch]]:
    """Return the paragraphs of ``text``; every character is in exactly one stretch, line breaks in none.

    Offsets of passages are code points into ``text``; where passages overlap the strongest counts.
    """
    cuts = sorted({0, len(text), *(edge for p in passages for edge in (p.start, p.end) if 0 < edge < len(text))})
    found: list[list[Stretch]] = [[]]
    for start, end in pairwise(cuts):
        score = max((p.score for p in passages if p.start <= start and end <= p.end), default=None)
        level = 0 if score is None else 2 if score >= STRONG else 1
        first, *rest = text[start:end].splitlines() or [""]
        found[-1].append(Stretch(first, level, score or 0.0))
        found += [[Stretch(line, level, score or 0.0)] for line in rest]
        if text[start:end].endswith(("\n", "\r")):
            found.append([])
    kept = [[stretch for stretch in line if stretch.text] for line in found]
    return [line for line in kept if any(stretch.text.strip() for stretch in line)]


def moving_words(passages: Sequence[Passage], most: int = 14) -> list[tuple[str, float]]:
    """Return the words that moved the score most, strongest first; a word in several passages counts where it did most.

    The sign says whether towards a flag (positive) or away from it.
    """
    strongest: dict[str, float] = {}
    for passage in passages:
        for word, effect in passage.words:
            if abs(effect) > abs(strongest.get(word, 0.0)):
                strongest[word] = effect
    return sorted(strongest.items(), key=lambda pair: (-abs(pair[1]), pair[0]))[:most]
