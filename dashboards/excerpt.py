"""The short, masked stretch of an item's text that lists may show (DESIGN §2)."""

from __future__ import annotations

from dashboards.quantities import mask_quantities
from storage.port import Item

MAX_CHARS = 240

__all__ = ["MAX_CHARS", "excerpt", "mask_quantities"]


def excerpt(item: Item, max_chars: int = MAX_CHARS) -> str:
    """Return the strongest passage of an item, quantities masked, at most ``max_chars`` characters."""
    passages = item.verdict.passages
    best = max(passages, key=lambda passage: passage.score, default=None)
    text = item.text[best.start : best.end] if best else item.text
    return shortened(mask_quantities(" ".join(text[: 4 * max_chars].split())), max_chars)


def shortened(text: str, max_chars: int) -> str:
    """Return ``text``, cut with an ellipsis at a word's end where it is longer than ``max_chars`` characters."""
    if len(text) <= max_chars:
        return text
    cut = text[: max_chars - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > max_chars // 2 else cut).rstrip() + "…"
