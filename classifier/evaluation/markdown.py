"""The report's tables in Markdown, for the model card and the documentation, and their place in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from classifier.evaluation.report import Pages, Report
from classifier.evaluation.tables import CrossTable
from classifier.evaluation.wording import NOTHING, base_rate, bound, decimal, interval, measured, met, name, percent

BEGIN = "<!-- evaluation: begin (written by `guidewatch evaluate`) -->"
END = "<!-- evaluation: end -->"


class MarkersError(ValueError):
    """A file has one marker without the other, or in the wrong order; the message says which."""


def card_tables(made: Report) -> str:
    """Return what a model card says of an evaluation: figures, goals, languages, kinds of harmless pages."""
    parts = [f"## Evaluation\n\n{_data(made)}"]
    if made.pages:
        parts += [
            _figures(made.pages),
            *(_cross(t) for t in made.pages.tables if t.by in (("language",), ("stratum",))),
        ]
    parts += _goals(made)
    return "\n\n".join(parts)


def documentation_tables(made: Report) -> str:
    """Return all tables of one dimension, subjects and techniques, derived tests and cross-validation."""
    parts = [f"### Measured\n\nModel `{made.model.version}`, encoder `{made.model.encoder}`. {_data(made)}"]
    if made.notes:
        parts.append("\n".join(f"- {note}" for note in made.notes))
    parts += _goals(made)
    if made.pages:
        parts.append(_figures(made.pages))
        parts += [_cross(one) for one in made.pages.tables if len(one.by) == 1 or one.by == ("language", "stratum")]
        parts += list(_labels(made.pages))
    parts += [*_derived(made), *_cross_validation(made)]
    return "\n\n".join(parts)


def placed(text: str, content: str) -> str:
    """Return ``text`` with ``content`` between the two markers, which are appended where they are missing.

    Raises
    ------
    MarkersError
        There is only one of the markers, or they are in the wrong order.
    """
    block = f"{BEGIN}\n\n{content}\n\n{END}"
    begin, end = text.find(BEGIN), text.find(END)
    if begin == end == -1:
        return f"{text.rstrip()}\n\n{block}\n".lstrip()
    if begin == -1 or end < begin:
        raise MarkersError("has one marker of the evaluation without the other before or after it")
    return f"{text[:begin]}{block}{text[end + len(END) :]}"


def _data(made: Report) -> str:
    files = [
        f"`{file.file}` ({file.pages:,} pages, {file.of_concern:,} of concern, SHA-256 `{file.sha256[:12]}…`)"
        for file in made.data
    ]
    on = f"On {' and '.join(files)}" if files else "On the training corpus"
    return f"{on}, at threshold {made.model.threshold:g}. In brackets: 95 % Wilson intervals."


def _figures(pages: Pages) -> str:
    overall = pages.overall
    rows = [
        ("recall, %", interval(overall.recall)),
        ("false-positive rate, %", interval(overall.false_positive_rate)),
        *(
            (f"precision at {base_rate(at.base_rate)}, %", interval(at.precision))
            for at in pages.precision_at_base_rates
        ),
        ("average precision", decimal(pages.average_precision)),
        ("ROC AUC", decimal(pages.roc_auc)),
        ("calibration error", decimal(pages.calibration_error)),
        ("Brier score", decimal(pages.brier)),
        ("macro-F1 of subjects, true positives", decimal(pages.subjects.macro_f1)),
        ("macro-F1 of techniques, true positives", decimal(pages.techniques.macro_f1)),
        *((f"pages {name(outcome)}", f"{count:,}") for outcome, count in pages.outcomes.items()),
        ("pages with too little text to tell the language", f"{overall.undetermined:,}"),
    ]
    return _table(("measure", "value"), rows)


def _goals(made: Report) -> list[str]:
    if not made.goals:
        return []
    rows = [
        (goal.measure, bound(goal), measured(goal), f"{goal.of:,}", met(goal) if goal.met else f"**{met(goal)}**")
        for goal in made.goals
    ]
    return [_table(("goal", "asked", "measured", "pages", "met"), rows)]


def _cross(table: CrossTable) -> str:
    heads = (*table.by, "pages", "of concern", "unsupported", "recall, %", "precision, %", "false-positive rate, %")
    rows = [
        (
            *(name(value) for value in cell.values),
            f"{cell.pages:,}",
            f"{cell.of_concern:,}",
            f"{cell.unsupported:,}",
            interval(cell.recall),
            interval(cell.precision),
            interval(cell.false_positive_rate),
        )
        for cell in table.cells
    ]
    return _table(heads, rows, words=len(table.by))


def _labels(pages: Pages) -> Iterator[str]:
    for kind, scores in (("subject", pages.subjects), ("technique", pages.techniques)):
        rows = [
            (
                name(one.label),
                str(one.pages),
                str(one.predicted),
                interval(one.precision),
                interval(one.recall),
                decimal(one.f1) if one.pages else NOTHING,
            )
            for one in scores.labels
        ]
        yield _table((f"{kind} of true positives", "pages", "predicted", "precision, %", "recall, %", "F1"), rows)


def _derived(made: Report) -> Iterator[str]:
    if made.derived:
        rows = [
            (
                one.test if one.kind == one.test else f"{one.test}: {one.kind}",
                name(one.language),
                f"{one.recall.of:,}",
                interval(one.recall),
                percent(one.plain_recall),
                f"{one.cost_points:.1f}",
                str(one.unsupported),
            )
            for one in made.derived.tests
        ]
        heads = ("derived test", "language", "variants", "recall, %", "as they are, %", "cost, points", "unsupported")
        yield _table(heads, rows, words=2)


def _cross_validation(made: Report) -> Iterator[str]:
    for one in made.cross_validation or ():
        rows: list[tuple[str, ...]] = [
            (
                name(fold.fold),
                f"{fold.pages:,}",
                interval(fold.recall),
                interval(fold.false_positive_rate),
                decimal(fold.average_precision),
                decimal(fold.calibration_error),
            )
            for fold in (*one.folds, *one.kinds, *one.languages)
        ]
        means = {mean.measure: f"{mean.mean:.3f} ± {mean.deviation:.3f}" for mean in one.means}
        measures = ("recall", "false-positive rate", "average precision", "calibration error")
        rows.insert(len(one.folds), ("mean", "", *(means.get(measure, NOTHING) for measure in measures)))
        heads = (f"fold by {one.grouped_by}", "pages", "recall, %", "false-positive rate, %", *measures[2:])
        yield _table(heads, rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """Return a table whose first ``words`` columns are words and whose others are numbers."""
    rule = ["---"] * words + ["---:"] * (len(heads) - words)
    lines = [heads, rule, *([cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
