"""The compact tables of a report for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from classifier.evaluation.goals import Goal
from classifier.evaluation.report import Pages
from classifier.evaluation.wording import base_rate, bound, decimal, interval, measured, met, name


def measures(pages: Pages) -> dict[str, str]:
    """Return the overall measures by name."""
    overall = pages.overall
    return {
        "recall, %": interval(overall.recall),
        "precision, %": interval(overall.precision),
        "false-positive rate, %": interval(overall.false_positive_rate),
        **{
            f"precision at {base_rate(at.base_rate)}, %": interval(at.precision) for at in pages.precision_at_base_rates
        },
        "average precision": decimal(pages.average_precision),
        "ROC AUC": decimal(pages.roc_auc),
        "calibration error": decimal(pages.calibration_error),
        "Brier score": decimal(pages.brier),
        "macro-F1 of subjects": decimal(pages.subjects.macro_f1),
        "macro-F1 of techniques": decimal(pages.techniques.macro_f1),
        **{f"pages {name(outcome)}": f"{count:,}" for outcome, count in pages.outcomes.items()},
        "pages of undetermined language": f"{overall.undetermined:,}",
    }


def languages(pages: Pages) -> Table:
    """Return recall and false-positive rate of each language."""
    made = _table("By language", "language", "pages", "unsupported", "recall, %", "false-positive rate, %")
    for one in next(table.cells for table in pages.tables if table.by == ("language",)):
        made.add_row(
            name(one.values[0]),
            f"{one.pages:,}",
            f"{one.unsupported:,}",
            interval(one.recall),
            interval(one.false_positive_rate),
        )
    return made


def goals(given: Sequence[Goal]) -> Table:
    """Return the goals beside what was measured."""
    made = _table("Goals", "measure", "goal", "measured", "pages", "met")
    for goal in given:
        made.add_row(
            goal.measure, bound(goal), measured(goal), f"{goal.of:,}", met(goal), style=None if goal.met else "bold"
        )
    return made


def _table(title: str, first: str, *numbers: str) -> Table:
    made = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="dim")
    made.add_column(first, style="bold")
    for number in numbers:
        made.add_column(number, justify="right")
    return made
