"""Judge pages in batches and keep what is counted of them; the text of a page is let go with its batch."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from classifier.evaluation.rows import Row
from classifier.language import UNDETERMINED
from classifier.taxonomy import LANGUAGES
from classifier.verdict import Document, Verdict

BATCH_PAGES = 32
BATCH_CHARS = 1_000_000
CERTAIN = 0.5
"""A subject or technique is said of a page from this probability on."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and of how much."""
Item = TypeVar("Item")


class Judge(Protocol):
    """What is evaluated: a `classifier.Classifier`, or a stand-in."""

    def judge(self, documents: Sequence[Document]) -> list[Verdict]:
        """Return one verdict a document, in order."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is counted of one page: all of its row but the text and the title, and what the verdict says."""

    id: str
    file: str
    line: int
    of_concern: bool
    language: str
    """As declared, else as detected."""
    kind: str
    subjects: tuple[str, ...] | None
    techniques: tuple[str, ...] | None
    source: str
    stratum: str
    outcome: str
    detected: str
    score: float
    said_subjects: tuple[str, ...]
    said_techniques: tuple[str, ...]

    @property
    def flagged(self) -> bool:
        """Whether the page is flagged."""
        return self.outcome == "flagged"

    @property
    def foreign(self) -> bool:
        """Whether its language is none of the six: as declared, whatever it was taken for, else as detected."""
        return self.language not in (*LANGUAGES, UNDETERMINED)

    @property
    def supported(self) -> bool:
        """Whether a score was given for it that means something."""
        return self.outcome != "unsupported" and not self.foreign

    @property
    def undetermined(self) -> bool:
        """Whether there was too little text to tell its language."""
        return self.detected == UNDETERMINED

    @property
    def due(self) -> bool:
        """Whether the page counts for recall (of concern) or for false alarms (harmless).

        A page in an unsupported language is an outcome of its own. But where a guide is in one of the six and that was
        not recognised, it is missed.
        """
        return self.supported or (self.of_concern and not self.foreign)


@dataclass(frozen=True, slots=True)
class Error:
    """A page judged wrongly, kept with its text until it is explained."""

    judged: Judged
    document: Document
    verdict: Verdict


@dataclass(slots=True)
class Results:
    """All pages, and of the wrongly judged ones the worst."""

    threshold: float = 0.0
    pages: list[Judged] = field(default_factory=list)
    missed: list[Error] = field(default_factory=list)
    """Guides that were not flagged, lowest score first."""
    alarms: list[Error] = field(default_factory=list)
    """Harmless pages that were flagged, highest score first."""


def judge_rows(judge: Judge, rows: Iterable[Row], total: int, *, worst: int, progress: Progress) -> Results:
    """Return what is counted of ``rows``, and the ``worst`` errors of each sort."""
    results = Results()
    missed: list[tuple[float, int, Error]] = []
    alarms: list[tuple[float, int, Error]] = []
    for row, document, verdict in judged(judge, ((row, Document(row.text, row.title)) for row in rows)):
        page = _counted(row, verdict)
        results.threshold = verdict.threshold
        results.pages.append(page)
        if page.of_concern and page.due and not page.flagged:
            _keep(missed, -page.score, len(results.pages), Error(page, document, verdict), worst)
        elif page.flagged and not page.of_concern:
            _keep(alarms, page.score, len(results.pages), Error(page, document, verdict), worst)
        if len(results.pages) % BATCH_PAGES == 0 or len(results.pages) == total:
            progress("judging pages", len(results.pages), total)
    results.missed = [error for _, _, error in sorted(missed, reverse=True)]
    results.alarms = [error for _, _, error in sorted(alarms, reverse=True)]
    return results


def judged(judge: Judge, items: Iterable[tuple[Item, Document]]) -> Iterator[tuple[Item, Document, Verdict]]:
    """Yield each item with its document and verdict, in order; at most a batch is held at a time."""
    batch: list[tuple[Item, Document]] = []
    chars = 0
    for item, document in items:
        batch.append((item, document))
        chars += len(document.text)
        if len(batch) >= BATCH_PAGES or chars >= BATCH_CHARS:
            yield from _judged(judge, batch)
            batch, chars = [], 0
    if batch:
        yield from _judged(judge, batch)


def _judged(judge: Judge, batch: list[tuple[Item, Document]]) -> Iterator[tuple[Item, Document, Verdict]]:
    verdicts = judge.judge([document for _, document in batch])
    for (item, document), verdict in zip(batch, verdicts, strict=True):
        yield item, document, verdict


def _counted(row: Row, verdict: Verdict) -> Judged:
    return Judged(
        id=row.id,
        file=row.file,
        line=row.line,
        of_concern=row.of_concern,
        language=row.language or verdict.language,
        kind=row.kind,
        subjects=row.subjects,
        techniques=row.techniques,
        source=row.source,
        stratum=row.stratum,
        outcome=verdict.outcome,
        detected=verdict.language,
        score=verdict.score,
        said_subjects=_said(verdict.subjects),
        said_techniques=_said(verdict.techniques),
    )


def _said(named: dict[str, float]) -> tuple[str, ...]:
    return tuple(name for name, p in named.items() if p >= CERTAIN)


def _keep(heap: list[tuple[float, int, Error]], badness: float, number: int, error: Error, most: int) -> None:
    """Keep the ``most`` worst errors; of equal ones the first (the number is unique, errors are never compared)."""
    if most:
        (heapq.heappush if len(heap) < most else heapq.heappushpop)(heap, (badness, -number, error))
