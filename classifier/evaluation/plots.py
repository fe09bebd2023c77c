"""The plots of a report, as inline SVG whose colours are those of the page around it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from classifier.evaluation.intervals import Rate
from classifier.evaluation.metrics import Bin, Count, Point
from classifier.evaluation.tables import Cell
from classifier.evaluation.wording import name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _MUTED, _LINE, _ONE, _TWO, _PAPER = (f"#0{i}0{i}0{i}" for i in range(1, 7))
_COLOURS = {
    _INK: "var(--ink)",
    _MUTED: "var(--muted)",
    _LINE: "var(--line)",
    _ONE: "var(--one)",
    _TWO: "var(--two)",
    _PAPER: "var(--paper)",
}
"""matplotlib knows no CSS variables: these stand for them until the SVG is written."""
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "guidewatch",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _MUTED,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _LINE,
    "grid.linewidth": 0.7,
    "xtick.color": _LINE,
    "ytick.color": _LINE,
    "xtick.labelcolor": _MUTED,
    "ytick.labelcolor": _MUTED,
    "legend.frameon": False,
}


def precision_recall(curve: Sequence[Point], precision: Rate | None, recall: Rate | None, threshold: float) -> str:
    """Return the precision-recall curve, with the model's threshold marked."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.step([p.recall for p in curve], [p.precision for p in curve], where="pre", color=_ONE, linewidth=1.8)
        if precision and recall:
            axes.plot([recall.value], [precision.value], "o", color=_TWO, markersize=8, clip_on=False, zorder=5)
            left = recall.value > 0.5
            axes.annotate(
                f"threshold {threshold:g}",
                (recall.value, precision.value),
                (-10 if left else 10, -18),
                textcoords="offset points",
                ha="right" if left else "left",
                color=_INK,
            )
        axes.set(xlim=(0, 1.01), ylim=(0, 1.03), xlabel="recall", ylabel="precision")

    return _svg("pr", draw)


def reliability(bins: Sequence[Bin]) -> str:
    """Return the share of guides by score, with intervals, above how many pages each bin holds."""

    def draw(figure: Figure) -> None:
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        top.plot([0, 1], [0, 1], color=_MUTED, linewidth=1, linestyle=(0, (4, 3)))
        x = [b.mean_score for b in bins]
        _with_intervals(top, x, [b.of_concern for b in bins], fmt="o-")
        top.set(ylim=(-0.03, 1.03), ylabel="share of concern")
        bottom.bar([b.low + 0.05 for b in bins], [b.pages for b in bins], width=0.09, color=_ONE)
        for b in bins:
            place = (b.low + 0.05, b.pages)
            bottom.annotate(f"{b.pages:,}", place, (0, 2), textcoords="offset points", ha="center", fontsize=8)
        bottom.set(xlim=(-0.02, 1.02), xlabel="score", ylabel="pages", yscale="log")
        bottom.set_ylim(0.7, 8 * max(b.pages for b in bins))
        _plain_log(bottom)

    return _svg("rel", draw)


def languages(cells: Sequence[Cell]) -> str:
    """Return recall and false-positive rate of each language, with intervals."""

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, title, rates in (
            (left, "recall", [c.recall for c in cells]),
            (right, "false-positive rate", [c.false_positive_rate for c in cells]),
        ):
            rows = [(row, found) for row, found in enumerate(rates) if found]
            y, values = [row for row, _ in rows], [100 * found.value for _, found in rows]
            axes.barh(y, values, color=_ONE, height=0.6, alpha=0.55)
            axes.errorbar(
                values,
                y,
                xerr=[
                    [max(100 * (f.value - f.low), 0.0) for _, f in rows],
                    [max(100 * (f.high - f.value), 0.0) for _, f in rows],
                ],
                fmt="none",
                ecolor=_INK,
                elinewidth=1.1,
                capsize=3,
            )
            axes.set(xlabel=f"{title}, %")
            axes.grid(axis="y", visible=False)
        left.set(xlim=(0, 102), yticks=range(len(cells)), yticklabels=[name(c.values[0]) for c in cells])
        right.set_xlim(left=0)
        left.invert_yaxis()

    return _svg("lang", draw)


def histogram(counts: Sequence[Count], threshold: float) -> str:
    """Return how many pages of each label score how high, on a logarithmic scale."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for shift, colour, label, values in (
            (0.0, _ONE, "of concern", [c.of_concern for c in counts]),
            (0.0225, _TWO, "harmless", [c.harmless for c in counts]),
        ):
            places = [c.low + 0.003 + shift for c in counts]
            axes.bar(places, values, width=0.02, align="edge", color=colour, label=label)
        axes.axvline(threshold, color=_INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.set(xlim=(0, 1), xlabel="score", ylabel="pages", yscale="log")
        axes.set_ylim(bottom=0.7)
        _plain_log(axes)
        axes.legend(loc="upper center", ncols=2, bbox_to_anchor=(0.5, 1.12))

    return _svg("hist", draw)


def _with_intervals(axes: Axes, x: Sequence[float], rates: Sequence[Rate], fmt: str) -> None:
    axes.errorbar(
        x,
        [r.value for r in rates],
        yerr=[[max(r.value - r.low, 0.0) for r in rates], [max(r.high - r.value, 0.0) for r in rates]],
        fmt=fmt,
        color=_ONE,
        ecolor=_MUTED,
        elinewidth=1,
        capsize=3,
        markersize=5,
        linewidth=1.4,
    )


def _plain_log(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(base=10, numticks=6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()


def _svg(prefix: str, draw: Callable[[Figure], Any]) -> str:
    """Return what ``draw`` draws; the same bytes for the same numbers."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    written = io.StringIO()
    with rc_context(_STYLE):
        figure = Figure(figsize=(5.6, 4.2), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(written.getvalue(), prefix)


def _inline(svg: str, prefix: str) -> str:
    """Return an SVG file as an element: colours of the page, ids that no other plot has, no size of its own."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    for placeholder, colour in _COLOURS.items():
        svg = svg.replace(placeholder, colour)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: inherit", svg)
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", svg, count=1, flags=re.DOTALL)
    opening = r'<svg viewBox="\1" aria-hidden="true" xmlns:xlink="http://www.w3.org/1999/xlink">'
    return re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', opening, svg, count=1)
