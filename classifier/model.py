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
from classifier.memory import Floats
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


Described = dict[str, dict[str, float]]
"""For ``subjects``, ``techniques`` and ``methods``: name to probability."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A page before the encoder."""

    language: str
    chosen: Chosen = field(default_factory=Chosen)


@dataclass(frozen=True, slots=True)
class _Scored:
    """A page after the heads: all that is known of its chosen texts, and the rows that decide, strongest first."""

    chosen: Chosen
    scores: PassageScores
    embeddings: Embeddings
    deciding: list[int]


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
        pages = [self._read(document) for document in documents]
        scored = self._scored([page.chosen for page in pages if page.chosen.texts])
        described = self._described(scored)
        found = iter(zip(scored, described, strict=True))
        return [self._verdict(page, *(next(found) if page.chosen.texts else (None, {}))) for page in pages]

    def _read(self, document: Document) -> _Read:
        language = languages.detect(f"{document.title}\n{document.text[:MAX_CHARS]}")
        return _Read(language, choose(document, self.screen)) if _judged(language) else _Read(language)

    def _scored(self, pages: Sequence[Chosen]) -> list[_Scored]:
        texts = [text for page in pages for text in page.texts]
        embeddings = self.encoder.encode(texts)
        scores = self.heads.predict(texts, embeddings)
        found, row = [], 0
        for page in pages:
            own = slice(row, row + len(page.texts))
            one = scores.take(own)
            found.append(_Scored(page, one, embeddings[own], _deciding(one.concern[: len(page.spans)])))
            row = own.stop
        return found

    def _described(self, pages: Sequence[_Scored]) -> list[Described]:
        """Return what each page is about, asked of its deciding passages together."""
        kinds = self.heads.labels(_gists(pages))
        return [
            {
                kind: {name: round(float(p), 6) for name, p in zip(LABELS[kind], probabilities[row], strict=True)}
                for kind, probabilities in kinds.items()
            }
            for row in range(len(pages))
        ]

    def _verdict(self, page: _Read, scored: _Scored | None, described: Described) -> Verdict:
        common: dict[str, Any] = {"language": page.language, "model": self.version, "threshold": self.threshold}
        if not _judged(page.language):
            return Verdict("unsupported", 0.0, reason=f"Language {page.language} is not one of the six.", **common)
        if scored is None:
            return Verdict("not_flagged", 0.0, reason="There is no text.", context="other", **common)
        common |= described
        score = round(self._score(scored), 6)
        if score >= self.threshold:
            passages = tuple(self._explained(scored, row) for row in scored.deciding)
            return Verdict("flagged", score, passages=passages, reason=_reason(passages[0], described), **common)
        context = CONTEXTS[int(scored.scores.contexts[:, :-1].mean(axis=0).argmax())]
        return Verdict(
            "not_flagged",
            score,
            context=context,
            passages=(_passage(scored, scored.deciding[0]),),
            reason=f"Reads as {context.replace('_', ' ')}; no passage is how-to of concern strongly enough.",
            worth_a_look=score >= self.worth_a_look,
            **common,
        )

    def _score(self, page: _Scored) -> float:
        score = float(self.page_model.predict_proba(matrix([features(page.scores, page.chosen)]))[0, 1])
        silent = page.chosen.total >= LONG and not page.scores.mentions[:, 0].any()
        return score / 2 if silent and page.scores.concern.max() < SURE else score

    def _explained(self, page: _Scored, row: int) -> Passage:
        contexts = {name: round(float(p), 6) for name, p in zip(CONTEXTS, page.scores.contexts[row], strict=False)}
        likeliest = sorted(contexts, key=lambda name: -contexts[name])[:MAX_CONTEXTS]
        return replace(
            _passage(page, row),
            words=self.heads.words(page.chosen.texts[row]),
            contexts={name: contexts[name] for name in likeliest},
            nearest=self.heads.nearest(page.embeddings[row]),
        )


def _judged(language: str) -> bool:
    return language == languages.UNDETERMINED or languages.supported(language)


def _deciding(concern: Floats) -> list[int]:
    """Return rows of the strongest passages, strongest first: all that are likely, at least one."""
    order = [int(i) for i in np.argsort(-concern, kind="stable")]
    likely = [i for i in order if concern[i] >= 0.5]
    return (likely or order[:1])[:MAX_SHOWN]


def _gists(pages: Sequence[_Scored]) -> Gists:
    """Return the deciding passages of each page as one, with its title where that was chosen."""
    none = np.zeros(pages[0].embeddings.shape[1] if pages else 0)
    rows = [page.chosen.title for page in pages]
    return Gists(
        np.array([page.embeddings[sorted(page.deciding)].mean(axis=0) for page in pages]),
        ["\n".join(page.chosen.texts[row] for row in sorted(page.deciding)) for page in pages],
        ["" if row is None else page.chosen.texts[row] for page, row in zip(pages, rows, strict=True)],
        np.array([none if row is None else page.embeddings[row] for page, row in zip(pages, rows, strict=True)]),
    )


def _passage(page: _Scored, row: int) -> Passage:
    span, scores = page.chosen.spans[row], page.scores
    return Passage(
        start=span.start,
        end=span.end,
        score=round(float(scores.concern[row]), 6),
        form=round(float(scores.form[row]), 6),
        subject=round(float(scores.subject[row]), 6),
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
