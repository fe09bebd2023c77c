"""From a page to the texts that the encoder sees: passages, normalised, those that the screen lets through."""

from __future__ import annotations

from dataclasses import dataclass

from classifier.normalise import normalise
from classifier.passages import Span, split
from classifier.screen import Screen
from classifier.verdict import Document

MAX_CHARS = 2_000_000
"""Characters of one text that are read; the rest is not."""
_TITLE_CHARS = 300


@dataclass(frozen=True, slots=True)
class Chosen:
    """The texts of a page that go to the encoder."""

    texts: tuple[str, ...] = ()
    """Normalised: passages in reading order, then the title, if it goes on, as a text of its own."""
    spans: tuple[Span, ...] = ()
    """Where the passages stand in the page's text."""
    places: tuple[int, ...] = ()
    """Which of the page's passages they are, from 0."""
    total: int = 0
    """Passages that the page has."""
    title: int | None = None
    """Row of the title among ``texts``."""


def choose(document: Document, screen: Screen | None = None) -> Chosen:
    """Return what the encoder sees of a page: everything, or what ``screen`` lets through.

    The title stands in front of the first passage too. A page of nothing but a title has one passage, and an empty
    page has none.
    """
    text = document.text[:MAX_CHARS]
    spans = split(text) or ([Span(0, 0)] if document.title.strip() else [])
    bodies = [normalise(text[span.start : span.end]) for span in spans]
    title = normalise(document.title)[:_TITLE_CHARS]
    if not bodies:
        return Chosen()
    if title:
        bodies[0] = f"{title}\n{bodies[0]}".strip()
    kept, clear = (range(len(bodies)), False) if screen is None else screen.keep(bodies)
    texts = [bodies[i] for i in kept]
    ends = [title] if title and not clear else []
    return Chosen(
        texts=(*texts, *ends),
        spans=tuple(spans[i] for i in kept),
        places=tuple(kept),
        total=len(bodies),
        title=len(texts) if ends else None,
    )
