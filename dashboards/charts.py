"""Small SVG charts, made here so that no page needs a script or a server of somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

_GAP = 0.18


@dataclass(frozen=True)
class Bar:
    """One bar: what it stands for, and how much."""

    name: str
    count: int


def columns(bars: Sequence[Bar], label: str, *, width: int = 600, height: int = 64) -> Markup:
    """Return standing bars, the first at the left; the picture stretches with its box.

    Parameters
    ----------
    bars
        In the order to show.
    label
        What the picture says, for those who do not see it.
    width, height
        Size of the drawing in its own units.
    """
    step = width / max(1, len(bars))
    highest = max((bar.count for bar in bars), default=0) or 1
    drawn = Markup("").join(
        Markup('<rect x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>').format(
            _number(index * step + step * _GAP / 2),
            _number(height - tall),
            _number(step * (1 - _GAP)),
            _number(tall),
            bar.name,
            bar.count,
        )
        for index, bar in enumerate(bars)
        if (tall := max(1.0, height * bar.count / highest) if bar.count else 0)
    )
    return Markup(
        '<svg class="columns" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(width, height, label, drawn)


def meter(value: float, *, mark: float | None = None, label: str = "") -> Markup:
    """Return a lying bar from 0 to 1, with a mark (such as a threshold) where one is given."""
    line = Markup("")
    if mark is not None:
        line = Markup('<line x1="{0}" x2="{0}" y1="0" y2="8"></line>').format(_number(100 * mark))
    return Markup(
        '<svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" {}>'
        '<rect class="track" width="100" height="8"></rect><rect class="fill" width="{}" height="8"></rect>{}</svg>'
    ).format(
        Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"'),
        _number(100 * value),
        line,
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
