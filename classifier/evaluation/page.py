"""The report as one HTML file that needs nothing else: no script, no network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from classifier.evaluation import plots, wording
from classifier.evaluation.report import FEW, Pages, Report

OPEN_ROWS = 30
"""A longer table is folded."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot with what it shows in words."""

    title: str
    svg: Markup
    caption: str


def report_html(made: Report) -> str:
    """Return the page: accessible, printable, in light and dark, without the text of any page."""
    environment = Environment(
        loader=PackageLoader("classifier.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        name=wording.name,
        percent=wording.percent,
        interval=wording.interval,
        decimal=wording.decimal,
        bound=wording.bound,
        measured=wording.measured,
        met=wording.met,
        base_rate=wording.base_rate,
    )
    environment.tests["few"] = lambda rate: rate is not None and rate.of < FEW
    figures = list(_figures(made.pages, made.model.threshold)) if made.pages else []
    page = environment.get_template("report.html").render(
        report=made, pages=made.pages, figures=figures, few=FEW, open_rows=OPEN_ROWS
    )
    return page + "\n"


def _figures(pages: Pages, threshold: float) -> Iterator[Figure]:
    overall = pages.overall
    if pages.curve and overall.harmless:
        yield Figure(
            "Precision and recall",
            _svg(plots.precision_recall(pages.curve, overall.precision, overall.recall, threshold)),
            "At every threshold; the dot is the one in use.",
        )
    if pages.reliability:
        yield Figure(
            "Is the score a probability?",
            _svg(plots.reliability(pages.reliability)),
            "Share of concern among the pages of each tenth of the score, against their mean score. On the dashed line "
            "a score of 0.7 means seven of ten. Below, how many pages each tenth holds.",
        )
        yield Figure(
            "Scores",
            _svg(plots.histogram(pages.histogram, threshold)),
            "How many pages score how high; the dashed line is the threshold. The scale is logarithmic.",
        )
    by_language = next((table for table in pages.tables if table.by == ("language",)), None)
    if by_language and by_language.cells:
        yield Figure(
            "Languages",
            _svg(plots.languages(by_language.cells)),
            "Recall and false-positive rate with 95 % intervals. Mind that the scales differ.",
        )


def _svg(drawn: str) -> Markup:
    """Return what matplotlib wrote as it is: the plots hold numbers, and names that it has escaped."""
    return Markup(drawn)  # noqa: S704
