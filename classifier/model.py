"""The classifier: pages in, verdicts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifier import language as languages
from classifier.encoders import Embeddings, Encoder
from classifier.heads import Heads, PassageScores
from classifier.labels import LABELS, Gists
from classifier.normalise import normalise
from classifier.page_score import features, matrix
from classifier.passages import Span, split
from classifier.screen import Screen
from classifier.taxonomy import CONTEXTS
from classifier.verdict import Document, Passage, Verdict

MAX_CHARS = 2_000_000
"""Characters of one text that are read; the rest is not."""
SURE = 0.9
LONG = 12
"""A page of at least `LONG` passages that never names the subject counts half unless a passage is of concern with the
probability `SURE` (ADR 0012): the more passages, the likelier that one of them misleads."""
MAX_SHOWN = 5
"""Passages that a verdict names, at the most."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A page on its way: which spans go to the encoder, of how many, and which row of theirs is the title."""

    document: Document
    language: str
    spans: tuple[Span, ...] = ()
    texts: tuple[str, ...] = ()
    title: int | None = None
    passages: int = 0


class Classifier:
    """Judges pages (DESIGN §8).

    Parameters
    ----------
    encoder, screen, heads, page_model
        The fitted parts; ``page_model`` is a logistic regression on `page_score.FEATURES`.
    threshold
        Pages that score at least this are flagged.
    version
        Name of the model, such as ``2026.11-1a2b3c4d``.
    """

    def __init__(
        self, *, encoder: Encoder, screen: Screen, heads: Heads, page_model: Any, threshold: float, version: str
    ) -> None:
        self.encoder = encoder
        self.screen = screen
        self.heads = heads
        self.page_model = page_model
        self.threshold = threshold
        self.version = version

    def judge(self, documents: Sequence[Document]) -> list[Verdict]:
        """Return one verdict a document, in order. Any text is judged; none raises."""
        pages = [self._prepare(document) for document in documents]
        texts = [text for page in pages for text in page.texts]
        embeddings = self.encoder.encode(texts)
        scores = self.heads.predict(texts, embeddings)
        verdicts, row = [], 0
        for page in pages:
            own = slice(row, row + len(page.texts))
            verdicts.append(self._verdict(page, scores.take(own), embeddings[own]))
            row += len(page.texts)
        return verdicts

    def _prepare(self, document: Document) -> _Page:
        text = document.text[:MAX_CHARS]
        language = languages.detect(f"{document.title}\n{text}")
        if language != languages.UNDETERMINED and not languages.supported(language):
            return _Page(document, language)
        spans, bodies = _passages(text, document.title)
        kept = self.screen.keep(bodies)
        texts, title = _with_title([bodies[i] for i in kept], document.title, first=bool(kept) and kept[0] == 0)
        return _Page(document, language, tuple(spans[i] for i in kept), tuple(texts), title, len(spans))

    def _verdict(self, page: _Page, scores: PassageScores, embeddings: Embeddings) -> Verdict:
        common: dict[str, Any] = {"language": page.language, "model": self.version, "threshold": self.threshold}
        if page.language != languages.UNDETERMINED and not languages.supported(page.language):
            return Verdict("unsupported", 0.0, reason=f"Language {page.language} is not one of the six.", **common)
        if not page.texts:
            return Verdict("not_flagged", 0.0, reason="There is no text.", context="other", **common)
        score = round(self._score(page, scores), 6)
        best = self._deciding(page, scores)
        described: dict[str, Any] = self._described(page, embeddings, sorted(best))
        if score >= self.threshold:
            passages = tuple(self._passage(page, scores, i, explain=True) for i in best)
            reason = _reason(passages[0], described)
            return Verdict("flagged", score, passages=passages, reason=reason, **described, **common)
        context = CONTEXTS[int(scores.contexts[:, :-1].mean(axis=0).argmax())]
        passages = tuple(self._passage(page, scores, i, explain=False) for i in best[:1])
        reason = f"Reads as {context.replace('_', ' ')}; no passage is how-to of concern strongly enough."
        return Verdict("not_flagged", score, context=context, passages=passages, reason=reason, **described, **common)

    def _described(self, page: _Page, embeddings: Embeddings, deciding: list[int]) -> dict[str, dict[str, float]]:
        """Return name → probability for each kind of label, asked of the deciding passages together."""
        title = page.texts[page.title] if page.title is not None else ""
        text = "\n".join(page.texts[row] for row in deciding)
        gist = Gists(embeddings[deciding].mean(axis=0, keepdims=True), [text], [title])
        return {
            kind: {name: round(float(p), 6) for name, p in zip(LABELS[kind], probabilities[0], strict=True)}
            for kind, probabilities in self.heads.labels(gist).items()
        }

    def _score(self, page: _Page, scores: PassageScores) -> float:
        score = float(self.page_model.predict_proba(matrix([features(scores, page.title)]))[0, 1])
        silent = page.passages >= LONG and not scores.mentions[:, 0].any()
        return score / 2 if silent and scores.concern.max() < SURE else score

    def _deciding(self, page: _Page, scores: PassageScores) -> list[int]:
        """Return rows of the strongest passages, strongest first: all that are likely, at least one."""
        rows = len(page.spans)
        order = [int(i) for i in np.argsort(-scores.concern[:rows], kind="stable")]
        likely = [i for i in order if scores.concern[i] >= 0.5]
        return (likely or order[:1])[:MAX_SHOWN]

    def _passage(self, page: _Page, scores: PassageScores, row: int, *, explain: bool) -> Passage:
        span = page.spans[row]
        return Passage(
            start=span.start,
            end=span.end,
            score=round(float(scores.concern[row]), 6),
            form=round(float(scores.form[row]), 6),
            subject=round(float(scores.subject[row]), 6),
            words=self.heads.words(page.texts[row]) if explain else (),
        )


def page_texts(document: Document) -> tuple[list[str], int | None]:
    """Return the normalised passages of a page, without the screen, and the index of the title among them."""
    _, bodies = _passages(document.text[:MAX_CHARS], document.title)
    return _with_title(bodies, document.title, first=True)


def _passages(text: str, title: str) -> tuple[list[Span], list[str]]:
    """Return spans and normalised texts; a page of nothing but a title has one empty passage."""
    spans = split(text) or ([Span(0, 0)] if title.strip() else [])
    return spans, [normalise(text[span.start : span.end]) for span in spans]


def _with_title(bodies: list[str], title: str, *, first: bool) -> tuple[list[str], int | None]:
    """Put the title in front of the page's first passage, and at the end as a text of its own."""
    title = normalise(title)[:300]
    if not bodies or not title:
        return bodies, None
    opening = [f"{title}\n{bodies[0]}".strip(), *bodies[1:]] if first else bodies
    return [*opening, title], len(opening)


def _reason(passage: Passage, described: dict[str, dict[str, float]]) -> str:
    """Return one sentence for people."""
    about = _likely(described["subjects"])
    promise = _likely(described["techniques"])
    return (
        f"A passage has the form of a guide ({passage.form:.2f}) and is about {about} ({passage.subject:.2f}); "
        f"it promises {promise}."
    )


def _likely(named: dict[str, float]) -> str:
    strongest = max(named, key=lambda name: named[name])
    names = [name for name, p in named.items() if p >= 0.5] or [strongest]
    return ", ".join(name.replace("_", " ") for name in names)
