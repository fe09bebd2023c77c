"""The full text cut into paragraphs and stretches, so that the scored passages can be marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dashboards.labels import label
from events import Nearest, Passage

STRONG = 0.5


@dataclass(frozen=True)
class Stretch:
    """A piece of one paragraph; ``level`` is 0 outside passages, 1 in a weak and 2 in a strong one."""

    text: str
    level: int = 0
    score: float = 0.0
    begins: int = 0
    """Number of the passage that begins here, as `explained` counts them; 0 where none does."""


@dataclass(frozen=True)
class Explained:
    """What each head said of a passage, each name with its probability, and the training passages it resembles."""

    number: int
    score: float
    heads: list[tuple[str, float]]
    contexts: list[tuple[str, float]]
    nearest: tuple[Nearest, ...]


def paragraphs(text: str, passages: Sequence[Passage]) -> list[list[Stretch]]:
    """Return the paragraphs of ``text``; every character is in exactly one stretch, line breaks in none.

    Offsets of passages are code points into ``text``; where passages overlap the strongest counts.
    """
    cuts = sorted({0, len(text), *(edge for p in passages for edge in (p.start, p.end) if 0 < edge < len(text))})
    begin = {passage.start: number for number, passage in reversed(_strongest_first(passages))}
    found: list[list[Stretch]] = [[]]
    for start, end in pairwise(cuts):
        score = max((p.score for p in passages if p.start <= start and end <= p.end), default=None)
        level = 0 if score is None else 2 if score >= STRONG else 1
        first, *rest = text[start:end].splitlines() or [""]
        found[-1].append(Stretch(first, level, score or 0.0, begin.get(start, 0)))
        found += [[Stretch(line, level, score or 0.0)] for line in rest]
        if text[start:end].endswith(("\n", "\r")):
            found.append([])
    kept = [[stretch for stretch in line if stretch.text] for line in found]
    return [line for line in kept if any(stretch.text.strip() for stretch in line)]


def explained(passages: Sequence[Passage], most: int = 6) -> list[Explained]:
    """Return what the heads said of the strongest passages, strongest first; passages of which nothing is known go."""
    found = []
    for number, passage in _strongest_first(passages)[:most]:
        said = (("form of a guide", passage.form), ("about firearms", passage.subject))
        heads = [(name, p) for name, p in said if p is not None]
        contexts = sorted(((label(name), p) for name, p in passage.contexts.items()), key=lambda pair: -pair[1])
        if heads or contexts or passage.nearest:
            found.append(Explained(number, passage.score, heads, contexts, passage.nearest))
    return found


def _strongest_first(passages: Sequence[Passage]) -> list[tuple[int, Passage]]:
    return list(enumerate(sorted(passages, key=lambda passage: -passage.score), 1))


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
