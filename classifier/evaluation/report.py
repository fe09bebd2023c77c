"""All that an evaluation found, as one structure; no clock, no path, no text of a page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from classifier.evaluation import metrics
from classifier.evaluation.cross_validation import CrossValidation
from classifier.evaluation.derived import DerivedTests
from classifier.evaluation.goals import Goal, goal_of_calibration, goals_of_cells, goals_of_derived, goals_of_labels
from classifier.evaluation.intervals import Between, precision_at
from classifier.evaluation.judging import Judged, Results
from classifier.evaluation.metrics import Bin, Count, LabelScores, Point
from classifier.evaluation.rows import DataFile
from classifier.evaluation.tables import Cell, CrossTable, cell, tables
from classifier.evaluation.worst import WordsOf, WorstError, explained
from classifier.taxonomy import SUBJECTS, TECHNIQUES

SCHEMA = "evaluation/1"
BASE_RATES = (0.01, 0.001)
FEW = 5
"""A cell of fewer pages says little, and is shown so."""
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Model:
    """Which model was asked."""

    version: str
    encoder: str
    threshold: float


@dataclass(frozen=True, slots=True)
class Data:
    """What it was asked about."""

    file: str
    pages: int
    of_concern: int
    labelled: bool
    sha256: str


@dataclass(frozen=True, slots=True)
class AtBaseRate:
    """Precision where this share of all pages is of concern."""

    base_rate: float
    precision: Between


@dataclass(frozen=True, slots=True)
class Foreign:
    """What became of pages whose language is none of the six."""

    pages: int
    recognised: int
    """As being in an unsupported language; the others were judged all the same, and are in no rate."""
    flagged: int


@dataclass(frozen=True, slots=True)
class Pages:
    """What was found on the pages as they are."""

    overall: Cell
    outcomes: dict[str, int]
    foreign: Foreign
    average_precision: float | None
    roc_auc: float | None
    calibration_error: float | None
    brier: float | None
    precision_at_base_rates: tuple[AtBaseRate, ...]
    subjects: LabelScores
    techniques: LabelScores
    tables: tuple[CrossTable, ...]
    reliability: tuple[Bin, ...]
    curve: tuple[Point, ...]
    histogram: tuple[Count, ...]
    missed: tuple[WorstError, ...]
    false_alarms: tuple[WorstError, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """An evaluation; parts that were not asked for are None."""

    schema: str
    model: Model
    data: tuple[Data, ...]
    notes: tuple[str, ...]
    goals: tuple[Goal, ...]
    pages: Pages | None
    derived: DerivedTests | None
    cross_validation: tuple[CrossValidation, ...] | None


def report(
    model: Model,
    files: Sequence[DataFile],
    pages: Pages | None,
    derived: DerivedTests | None = None,
    cross_validation: tuple[CrossValidation, ...] | None = None,
) -> Report:
    """Return the report of what was done."""
    data = tuple(Data(file.path.name, file.rows, file.positives, file.labelled, file.sha256) for file in files)
    goals = tuple(_goals(pages, derived))
    return Report(SCHEMA, model, data, tuple(_notes(data, pages, derived)), goals, pages, derived, cross_validation)


def pages_of(results: Results, words_of: WordsOf) -> Pages:
    """Return what is found of judged pages."""
    judged = results.pages
    scored = [page for page in judged if page.supported]
    ranked = [page for page in judged if page.due]
    y, p = _arrays(scored)
    ranked_y, ranked_p = _arrays(ranked)
    overall = cell((), judged)
    at = [
        AtBaseRate(base_rate, precision_at(base_rate, overall.recall, overall.false_positive_rate))
        for base_rate in BASE_RATES
        if overall.recall and overall.false_positive_rate
    ]
    return Pages(
        overall=overall,
        outcomes=dict(sorted(Counter(page.outcome if page.supported else "unsupported" for page in judged).items())),
        foreign=_foreign(judged),
        average_precision=metrics.average_precision(ranked_y, ranked_p),
        roc_auc=metrics.roc_auc(ranked_y, ranked_p),
        calibration_error=metrics.calibration_error(y, p) if scored else None,
        brier=metrics.brier(y, p),
        precision_at_base_rates=tuple(at),
        subjects=_labels(judged, "subjects", SUBJECTS),
        techniques=_labels(judged, "techniques", TECHNIQUES),
        tables=tables(judged),
        reliability=metrics.reliability(y, p),
        curve=metrics.curve(ranked_y, ranked_p),
        histogram=metrics.histogram(y, p),
        missed=explained(results.missed, words_of),
        false_alarms=explained(results.alarms, words_of),
    )


def as_json(made: Report) -> dict[str, Any]:
    """Return the report as plain values, in a fixed order, floats rounded to six digits."""
    plain = _plain(asdict(made))
    return dict(plain)


def text_of(made: Report) -> str:
    """Return ``report.json``: the same bytes for the same report."""
    return json.dumps(as_json(made), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _arrays(pages: Sequence[Judged]) -> tuple[metrics.Labels, metrics.Scores]:
    return np.array([int(page.of_concern) for page in pages], dtype=np.int64), np.array([page.score for page in pages])


def _foreign(pages: Sequence[Judged]) -> Foreign:
    foreign = [page for page in pages if page.foreign]
    recognised = sum(page.outcome == "unsupported" for page in foreign)
    return Foreign(len(foreign), recognised, sum(page.flagged for page in foreign))


def _labels(pages: Sequence[Judged], kind: str, names: tuple[str, ...]) -> LabelScores:
    """Return how well subjects or techniques are told among flagged guides whose own are known."""
    known = [page for page in pages if page.of_concern and page.flagged and getattr(page, kind) is not None]
    return metrics.label_scores(
        [getattr(page, kind) for page in known], [getattr(page, f"said_{kind}") for page in known], names
    )


def _goals(pages: Pages | None, derived: DerivedTests | None) -> Iterator[Goal]:
    if pages:
        cells = {one.by: one.cells for one in pages.tables}
        yield from goals_of_cells(cells["language",], cells["stratum",])
        if pages.calibration_error is not None:
            yield goal_of_calibration(pages.calibration_error, sum(one.pages for one in pages.reliability))
        yield from goals_of_labels("subjects", pages.subjects)
        yield from goals_of_labels("techniques", pages.techniques)
    if derived:
        yield from goals_of_derived(derived)


def _notes(data: Sequence[Data], pages: Pages | None, derived: DerivedTests | None) -> Iterator[str]:
    for file in data:
        if not file.labelled:
            yield f"{file.file} has no labels: its {file.pages:,} pages count as harmless."
    if pages and (foreign := pages.foreign).pages:
        yield (
            f"{foreign.pages:,} pages are in languages that the model does not judge, and in none of the rates: "
            f"{foreign.recognised:,} were recognised as such, {foreign.flagged:,} flagged."
        )
    if pages and (taken := pages.overall.unsupported - pages.foreign.pages):
        yield (
            f"{taken:,} pages in one of the six languages were taken for another: "
            "guides among them count as missed, the others are in none of the rates."
        )
    if pages and pages.overall.undetermined:
        yield f"{pages.overall.undetermined:,} pages have too little text to tell their language; they are judged."
    if derived and derived.without_background:
        yield (
            f"{derived.without_background:,} guides could not be hidden: the data has no neutral text in their "
            "language."
        )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return round(value, DIGITS) + 0.0 if isinstance(value, float) else value
