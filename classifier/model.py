"""The classifier: pages in, verdicts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from classifier import language as languages
from classifier.choosing import MAX_CHARS, Chosen, choose
from classifier.encoders import Embeddings, Encoder
from classifier.heads import Heads, PassageScores
from classifier.labels import LABELS, Gists
from classifier.page_score import features, matrix
from classifier.screen import Screen
from classifier.taxonomy import CONTEXTS
from classifier.verdict import Document, Passage, Verdict

SURE = 0.9
LONG = 12
"""A page of at least `LONG` passages that never names the subject counts half unless a passage is of concern with the
probability `SURE` (ADR 0012): the more passages, the likelier that one of them misleads."""
MAX_SHOWN = 5
"""Passages that a verdict names, at the most."""
MAX_CONTEXTS = 3
"""Contexts that are named of a passage."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A page on its way."""

    document: Document
    language: str
    chosen: Chosen = field(default_factory=Chosen)


class Classifier:
    """Judges pages (DESIGN §8).

    Parameters
    ----------
    encoder, screen, heads, page_model
        The fitted parts; ``page_model`` is a logistic regression on `page_score.FEATURES`.
    threshold, worth_a_look
        Pages that score at least ``threshold`` are flagged; of the others, those from ``worth_a_look`` on go to the
        second queue.
    version
        Name of the model, such as ``2026.11-1a2b3c4d``.
    """

    def __init__(
        self,
        *,
        encoder: Encoder,
        screen: Screen,
        heads: Heads,
        page_model: Any,
        threshold: float,
        worth_a_look: float,
        version: str,
    ) -> None:
        self.encoder = encoder
        self.screen = screen
        self.heads = heads
        self.page_model = page_model
        self.threshold = threshold
        self.worth_a_look = worth_a_look
        self.version = version

    def judge(self, documents: Sequence[Document]) -> list[Verdict]:
        """Return one verdict a document, in order. Any text is judged; none raises."""
        pages = [self._prepare(document) for document in documents]
        texts = [text for page in pages for text in page.chosen.texts]
        embeddings = self.encoder.encode(texts)
        scores = self.heads.predict(texts, embeddings)
        verdicts, row = [], 0
        for page in pages:
            own = slice(row, row + len(page.chosen.texts))
            verdicts.append(self._verdict(page, scores.take(own), embeddings[own]))
            row = own.stop
        return verdicts

    def _prepare(self, document: Document) -> _Page:
        language = languages.detect(f"{document.title}\n{document.text[:MAX_CHARS]}")
        if language != languages.UNDETERMINED and not languages.supported(language):
            return _Page(document, language)
        return _Page(document, language, choose(document, self.screen))

    def _verdict(self, page: _Page, scores: PassageScores, embeddings: Embeddings) -> Verdict:
        common: dict[str, Any] = {"language": page.language, "model": self.version, "threshold": self.threshold}
        if page.language != languages.UNDETERMINED and not languages.supported(page.language):
            return Verdict("unsupported", 0.0, reason=f"Language {page.language} is not one of the six.", **common)
        if not page.chosen.texts:
            return Verdict("not_flagged", 0.0, reason="There is no text.", context="other", **common)
        score = round(self._score(page, scores), 6)
        best = self._deciding(page, scores)
        described: dict[str, Any] = self._described(page, embeddings, sorted(best))
        if score >= self.threshold:
            passages = tuple(self._explained(page, scores, embeddings, i) for i in best)
            reason = _reason(passages[0], described)
            return Verdict("flagged", score, passages=passages, reason=reason, **described, **common)
        context = CONTEXTS[int(scores.contexts[:, :-1].mean(axis=0).argmax())]
        passages = (self._passage(page, scores, best[0]),)
        look = score >= self.worth_a_look
        reason = f"Reads as {context.replace('_', ' ')}; no passage is how-to of concern strongly enough."
        found: dict[str, Any] = {"context": context, "passages": passages, "reason": reason, "worth_a_look": look}
        return Verdict("not_flagged", score, **found, **described, **common)

    def _described(self, page: _Page, embeddings: Embeddings, deciding: list[int]) -> dict[str, dict[str, float]]:
        """Return name → probability for each kind of label, asked of the deciding passages together."""
        row = page.chosen.title
        title = page.chosen.texts[row] if row is not None else ""
        seen = embeddings[[row]] if row is not None else np.zeros((1, embeddings.shape[1]))
        text = "\n".join(page.chosen.texts[row] for row in deciding)
        gist = Gists(embeddings[deciding].mean(axis=0, keepdims=True), [text], [title], seen)
        return {
            kind: {name: round(float(p), 6) for name, p in zip(LABELS[kind], probabilities[0], strict=True)}
            for kind, probabilities in self.heads.labels(gist).items()
        }

    def _score(self, page: _Page, scores: PassageScores) -> float:
        score = float(self.page_model.predict_proba(matrix([features(scores, page.chosen)]))[0, 1])
        silent = page.chosen.total >= LONG and not scores.mentions[:, 0].any()
        return score / 2 if silent and scores.concern.max() < SURE else score

    def _deciding(self, page: _Page, scores: PassageScores) -> list[int]:
        """Return rows of the strongest passages, strongest first: all that are likely, at least one."""
        rows = len(page.chosen.spans)
        order = [int(i) for i in np.argsort(-scores.concern[:rows], kind="stable")]
        likely = [i for i in order if scores.concern[i] >= 0.5]
        return (likely or order[:1])[:MAX_SHOWN]

    def _passage(self, page: _Page, scores: PassageScores, row: int) -> Passage:
        span = page.chosen.spans[row]
        return Passage(
            start=span.start,
            end=span.end,
            score=round(float(scores.concern[row]), 6),
            form=round(float(scores.form[row]), 6),
            subject=round(float(scores.subject[row]), 6),
        )

    def _explained(self, page: _Page, scores: PassageScores, embeddings: Embeddings, row: int) -> Passage:
        contexts = {name: round(float(p), 6) for name, p in zip(CONTEXTS, scores.contexts[row], strict=False)}
        likeliest = sorted(contexts, key=lambda name: -contexts[name])[:MAX_CONTEXTS]
        return replace(
            self._passage(page, scores, row),
            words=self.heads.words(page.chosen.texts[row]),
            contexts={name: contexts[name] for name in likeliest},
            nearest=self.heads.nearest(embeddings[row]),
        )


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
