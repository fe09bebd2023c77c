"""The classifier: pages in, verdicts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifier import language as languages
from classifier.encoder import Encoder
from classifier.heads import Floats, Heads, PassageScores
from classifier.normalise import normalise
from classifier.page_score import features, matrix
from classifier.passages import Span, split
from classifier.screen import Screen
from classifier.taxonomy import CONTEXTS, METHODS, SUBJECTS, TECHNIQUES
from classifier.verdict import Document, Passage, Verdict

MAX_CHARS = 2_000_000
"""Characters of one text that are read; the rest is not."""
SURE = 0.9
"""A page that never names the subject counts half unless a passage is of concern with this probability (ADR 0012)."""
MAX_SHOWN = 5
"""Passages that a verdict names, at the most."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A page on its way: which spans go to the encoder, and which row of theirs is the title."""

    document: Document
    language: str
    spans: tuple[Span, ...] = ()
    texts: tuple[str, ...] = ()
    title: int | None = None


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
        scores = self.heads.predict(texts, self.encoder.encode(texts))
        verdicts, row = [], 0
        for page in pages:
            verdicts.append(self._verdict(page, scores.take(slice(row, row + len(page.texts)))))
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
        return _Page(document, language, tuple(spans[i] for i in kept), tuple(texts), title)

    def _verdict(self, page: _Page, scores: PassageScores) -> Verdict:
        common: dict[str, Any] = {"language": page.language, "model": self.version, "threshold": self.threshold}
        if page.language != languages.UNDETERMINED and not languages.supported(page.language):
            return Verdict("unsupported", 0.0, reason=f"Language {page.language} is not one of the six.", **common)
        if not page.texts:
            return Verdict("not_flagged", 0.0, reason="There is no text.", context="other", **common)
        score = round(self._score(page, scores), 6)
        best = self._deciding(page, scores)
        described: dict[str, Any] = {
            "subjects": _named(SUBJECTS, scores.subjects, best),
            "techniques": _named(TECHNIQUES, scores.techniques, best),
            "methods": _named(METHODS, scores.methods, best),
        }
        if score >= self.threshold:
            passages = tuple(self._passage(page, scores, i, explain=True) for i in best)
            reason = _reason(passages[0], described)
            return Verdict("flagged", score, passages=passages, reason=reason, **described, **common)
        context = CONTEXTS[int(scores.contexts[:, :-1].mean(axis=0).argmax())]
        passages = tuple(self._passage(page, scores, i, explain=False) for i in best[:1])
        reason = f"Reads as {context.replace('_', ' ')}; no passage is how-to of concern strongly enough."
        return Verdict("not_flagged", score, context=context, passages=passages, reason=reason, **described, **common)

    def _score(self, page: _Page, scores: PassageScores) -> float:
        score = float(self.page_model.predict_proba(matrix([features(scores, page.title)]))[0, 1])
        silent = not scores.mentions[:, 0].any()
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


def _named(names: tuple[str, ...], probabilities: Floats, rows: list[int]) -> dict[str, float]:
    """Return name → probability, each the strongest over the deciding passages."""
    strongest = probabilities[rows].max(axis=0)
    return {name: round(float(p), 6) for name, p in zip(names, strongest, strict=True)}


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
