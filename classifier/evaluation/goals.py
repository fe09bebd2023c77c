"""What the project asks of its model, each beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from classifier.evaluation.derived import ALL, DISGUISED, HIDDEN, DerivedTests
from classifier.evaluation.intervals import Rate, rate
from classifier.evaluation.metrics import LabelScores
from classifier.evaluation.tables import Cell
from classifier.taxonomy import LANGUAGES


@dataclass(frozen=True, slots=True)
class Goal:
    """A measure, the value that it must not pass, and whether it does not."""

    measure: str
    value: float
    at_least: float | None
    at_most: float | None
    of: int
    """Pages that the value rests on."""
    met: bool
    certain: bool | None
    """Whether the whole 95 % interval lies on that side of the bound; None for a value without an interval."""


def least(measure: str, value: Rate | float, bound: float, of: int = 0) -> Goal:
    """Return a goal that is met at ``bound`` or above; ``of`` counts for a value that is no rate."""
    if isinstance(value, Rate):
        met = value.value >= bound
        return Goal(measure, value.value, bound, None, value.of, met, value.low >= bound if met else value.high < bound)
    return Goal(measure, value, bound, None, of, value >= bound, None)


def most(measure: str, value: Rate | float, bound: float, of: int = 0) -> Goal:
    """Return a goal that is met at ``bound`` or below; ``of`` counts for a value that is no rate."""
    if isinstance(value, Rate):
        met = value.value <= bound
        return Goal(measure, value.value, None, bound, value.of, met, value.high <= bound if met else value.low > bound)
    return Goal(measure, value, None, bound, of, value <= bound, None)


def goals_of_cells(languages: Sequence[Cell], strata: Sequence[Cell]) -> Iterator[Goal]:
    """Yield the goals on recall and on false alarms, from the tables by language and by stratum."""
    recalls = [one.recall for one in languages if one.recall and one.values[0] in LANGUAGES]
    if overall := rate(sum(recall.count for recall in recalls), sum(recall.of for recall in recalls)):
        yield least("recall over the six languages", overall, 0.97)
        worst = min(recalls, key=lambda recall: recall.value)
        yield least("recall in the language where it is lowest", worst, 0.93)
    alarms = {one.values[0]: one.false_positive_rate for one in strata}
    for stratum, bound in (("neutral", 0.001), ("about firearms", 0.005), ("hard", 0.05)):
        if found := alarms.get(stratum):
            yield most(f"false-positive rate, {stratum}", found, bound)


def goal_of_calibration(calibration_error: float, pages: int) -> Goal:
    """Return the goal on the page score being a probability."""
    return most("calibration error", calibration_error, 0.05, pages)


def goals_of_labels(name: str, scores: LabelScores) -> Iterator[Goal]:
    """Yield the goal on telling subjects or techniques."""
    if scores.macro_f1 is not None:
        yield least(f"macro-F1 of {name} on true positives", scores.macro_f1, 0.85, scores.pages)


def goals_of_derived(derived: DerivedTests) -> Iterator[Goal]:
    """Yield the goals on hidden and disguised guides."""
    for one in derived.tests:
        if one.test == HIDDEN and one.language == ALL:
            yield least(f"recall, one section of a page {derived.times} times as long", one.recall, 0.9)
        elif one.test == DISGUISED and one.kind == one.language == ALL:
            yield least("recall, disguised", one.recall, 0.9)
            yield most("cost of disguises in points of recall", one.cost_points, 3.0, one.recall.of)
