"""From a page to the texts that the encoder sees: passages, normalised, those that the screen lets through."""

from __future__ import annotations

from collections.abc import Sequence
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
    """The texts of a page that go to the encoder; none where the screen finds the page clear."""

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
    suspicion: float = 0.0
    """What the screen said of the passage that it found likeliest; 1 where no screen was asked."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """A page cut into normalised passages, the first with the title in front."""

    bodies: list[str]
    spans: list[Span]
    title: str


def choose(document: Document, screen: Screen | None = None) -> Chosen:
    """Return what the encoder sees of a page: everything, or what ``screen`` lets through."""
    return choose_all([document], screen)[0]


def choose_all(documents: Sequence[Document], screen: Screen | None = None) -> list[Chosen]:
    """Return, for each page, what the encoder sees of it; the screen is asked once for all.

    The title stands in front of the first passage too. A page of nothing but a title has one passage, and an empty
    page has none.
    """
    pages = [_cut(document) for document in documents]
    if screen is None:
        return [_chosen(page, range(len(page.bodies)), 1.0, with_title=True) for page in pages]
    scores = screen.score([body for page in pages for body in page.bodies])
    found, start = [], 0
    for page in pages:
        own = scores[start : start + len(page.bodies)]
        suspicion = float(own.max(initial=0.0))
        found.append(_chosen(page, screen.pick(own), suspicion, with_title=suspicion >= screen.bound))
        start += len(own)
    return found


def _cut(document: Document) -> _Cut:
    text = document.text[:MAX_CHARS]
    spans = split(text) or ([Span(0, 0)] if document.title.strip() else [])
    bodies = [normalise(text[span.start : span.end]) for span in spans]
    title = normalise(document.title)[:_TITLE_CHARS]
    if bodies and title:
        bodies[0] = f"{title}\n{bodies[0]}".strip()
    return _Cut(bodies, spans, title)


def _chosen(page: _Cut, kept: Sequence[int], suspicion: float, *, with_title: bool) -> Chosen:
    texts = [page.bodies[i] for i in kept]
    ends = [page.title] if page.title and with_title else []
    return Chosen(
        texts=(*texts, *ends),
        spans=tuple(page.spans[i] for i in kept),
        places=tuple(kept),
        total=len(page.bodies),
        title=len(texts) if ends else None,
        suspicion=suspicion,
    )
