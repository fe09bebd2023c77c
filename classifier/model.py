"""The classifier: pages in, verdicts out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from threadpoolctl import ThreadpoolController

from classifier import language as languages
from classifier.choosing import MAX_CHARS, Chosen, choose_all
from classifier.encoders import Embeddings, Encoder
from classifier.heads import Heads, PassageScores
from classifier.labels import LABELS, Gists
from classifier.memory import Floats
from classifier.page_score import PageScore
from classifier.screen import Screen
from classifier.taxonomy import CONTEXTS
from classifier.verdict import Document, Passage, Verdict

SURE = 0.9
LONG = 12
"""A page of at least `LONG` passages that never names the subject counts half unless a passage is of concern with the
probability `SURE` (ADR 0012): the more passages, the likelier that one of them misleads."""
MAX_SHOWN = 3
"""Passages that a verdict names, at the most."""
MAX_CONTEXTS = 3
"""Contexts that are named of a passage."""


Described = dict[str, dict[str, float]]
"""For ``subjects``, ``techniques`` and ``methods``: name to probability."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """All texts of some pages, as the heads see them."""

    texts: list[str]
    embeddings: Embeddings
    view: csr_matrix
    """Character n-grams."""


@dataclass(frozen=True, slots=True)
class _Scored:
    """A page after the heads: what is known of its chosen texts, and the rows that decide, strongest first."""

    chosen: Chosen
    first: int
    """Row of its first text in the batch."""
    scores: PassageScores
    deciding: list[int]


class Classifier:
    """Judges pages (DESIGN §8).

    Parameters
    ----------
    encoder, screen, heads, page_score
        The fitted parts.
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
        page_score: PageScore,
        threshold: float,
        worth_a_look: float,
        version: str,
    ) -> None:
        self.encoder = encoder
        self.screen = screen
        self.heads = heads
        self.page_score = page_score
        self.threshold = threshold
        self.worth_a_look = worth_a_look
        self.version = version

    def judge(self, documents: Sequence[Document]) -> list[Verdict]:
        """Return one verdict a document, in order. Any text is judged; none raises."""
        found = [languages.detect(f"{document.title}\n{document.text[:MAX_CHARS]}") for document in documents]
        read = [row for row, language in enumerate(found) if _judged(language)]
        chosen = choose_all([documents[row] for row in read], self.screen)
        verdicts = dict(zip(read, self._verdicts(chosen), strict=True))
        common: dict[str, Any] = {"model": self.version, "threshold": self.threshold}
        return [
            Verdict(language=language, **common, **verdicts.get(row, _unsupported(language)))
            for row, language in enumerate(found)
        ]

    def _verdicts(self, chosen: Sequence[Chosen]) -> list[dict[str, Any]]:
        """Return the fields of each page's verdict."""
        suspected = [row for row, page in enumerate(chosen) if page.texts]
        batch, pages = self._scored([chosen[row] for row in suspected])
        scores = [self._score(page) for page in pages]
        deciding = [page for page, score in zip(pages, scores, strict=True) if score >= self.worth_a_look]
        described = iter(self._described(batch, deciding))
        explained = iter(self._explained(batch, [p for p, s in zip(pages, scores, strict=True) if s >= self.threshold]))
        fields = {}
        for row, page, score in zip(suspected, pages, scores, strict=True):
            about = next(described) if score >= self.worth_a_look else {}
            if score >= self.threshold:
                fields[row] = _flagged(score, about, next(explained))
            else:
                fields[row] = {**_not_flagged(page, score), **about, "worth_a_look": score >= self.worth_a_look}
        return [fields[row] if row in fields else self._cleared(page) for row, page in enumerate(chosen)]

    def _cleared(self, page: Chosen) -> dict[str, Any]:
        """Return the fields of the verdict on a page that needs no encoder."""
        if not page.total:
            return {"outcome": "not_flagged", "score": 0.0, "reason": "There is no text.", "context": "other"}
        reason = "The screen finds no passage that comes near how-to of concern."
        return {"outcome": "not_flagged", "score": round(self.page_score.clear(page), 6), "reason": reason}

    def _scored(self, pages: Sequence[Chosen]) -> tuple[_Batch, list[_Scored]]:
        texts = [text for page in pages for text in page.texts]
        vectors = self._encoded([page.texts for page in pages])
        embeddings = np.vstack(vectors) if vectors else self.encoder.encode(())
        batch = _Batch(texts, embeddings, self.heads.lexical(texts))
        scores = self.heads.predict(texts, batch.embeddings, batch.view)
        found, row = [], 0
        for page in pages:
            one = scores.take(slice(row, row + len(page.texts)))
            found.append(_Scored(page, row, one, _deciding(one.concern[: len(page.spans)])))
            row += len(page.texts)
        return batch, found

    def _encoded(self, texts_by_page: Sequence[Sequence[str]]) -> list[Embeddings]:
        """Encode page by page, since no other page is to move a last bit; some pages at once if the encoder can."""
        if self.encoder.at_once == 1 or len(texts_by_page) < 2:
            return [self.encoder.encode(texts) for texts in texts_by_page]
        # Each call sets the number of BLAS threads and sets it back: what it finds must be what the others want.
        with _blas().limit(limits=1), ThreadPoolExecutor(self.encoder.at_once) as threads:
            return list(threads.map(self.encoder.encode, texts_by_page))

    def _described(self, batch: _Batch, pages: Sequence[_Scored]) -> list[Described]:
        """Return what each page is about, asked of its deciding passages together."""
        kinds = self.heads.labels(_gists(batch, pages))
        return [
            {
                kind: {name: round(float(p), 6) for name, p in zip(LABELS[kind], probabilities[row], strict=True)}
                for kind, probabilities in kinds.items()
            }
            for row in range(len(pages))
        ]

    def _score(self, page: _Scored) -> float:
        score = self.page_score.of(page.scores, page.chosen)
        silent = page.chosen.total >= LONG and not page.scores.mentions[:, 0].any()
        return round(score / 2 if silent and page.scores.concern.max() < SURE else score, 6)

    def _explained(self, batch: _Batch, pages: Sequence[_Scored]) -> list[tuple[Passage, ...]]:
        """Return the deciding passages of each page, with what explains them."""
        rows = [page.first + row for page in pages for row in page.deciding]
        words = iter(self.heads.words([batch.texts[row] for row in rows], batch.view[rows]))
        nearest = iter(self.heads.nearest(batch.embeddings[rows]))
        return [
            tuple(
                replace(
                    _passage(page, row),
                    words=next(words),
                    contexts=_likeliest_contexts(page.scores.contexts[row]),
                    nearest=next(nearest),
                )
                for row in page.deciding
            )
            for page in pages
        ]


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def _judged(language: str) -> bool:
    return language == languages.UNDETERMINED or languages.supported(language)


def _deciding(concern: Floats) -> list[int]:
    """Return rows of the strongest passages, strongest first: all that are likely, at least one."""
    order = [int(i) for i in np.argsort(-concern, kind="stable")]
    likely = [i for i in order if concern[i] >= 0.5]
    return (likely or order[:1])[:MAX_SHOWN]


def _gists(batch: _Batch, pages: Sequence[_Scored]) -> Gists:
    """Return the deciding passages of each page as one, with its title where that was chosen."""
    none = np.zeros(batch.embeddings.shape[1])
    passages = [[page.first + row for row in sorted(page.deciding)] for page in pages]
    titles = [None if page.chosen.title is None else page.first + page.chosen.title for page in pages]
    return Gists(
        np.array([batch.embeddings[rows].mean(axis=0) for rows in passages]),
        ["\n".join(batch.texts[row] for row in rows) for rows in passages],
        ["" if row is None else batch.texts[row] for row in titles],
        np.array([none if row is None else batch.embeddings[row] for row in titles]),
    )


def _unsupported(language: str) -> dict[str, Any]:
    reason = f"Language {language} is not one of the six."
    return {"outcome": "unsupported", "score": 0.0, "reason": reason}


def _flagged(score: float, about: Described, passages: tuple[Passage, ...]) -> dict[str, Any]:
    return {"outcome": "flagged", "score": score, "passages": passages, "reason": _reason(passages[0], about), **about}


def _not_flagged(page: _Scored, score: float) -> dict[str, Any]:
    context = CONTEXTS[int(page.scores.contexts[:, :-1].mean(axis=0).argmax())]
    return {
        "outcome": "not_flagged",
        "score": score,
        "context": context,
        "passages": (_passage(page, page.deciding[0]),),
        "reason": f"Reads as {context.replace('_', ' ')}; no passage is how-to of concern strongly enough.",
    }


def _likeliest_contexts(probabilities: Floats) -> dict[str, float]:
    contexts = {name: round(float(p), 6) for name, p in zip(CONTEXTS, probabilities, strict=False)}
    return {name: contexts[name] for name in sorted(contexts, key=lambda name: -contexts[name])[:MAX_CONTEXTS]}


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
