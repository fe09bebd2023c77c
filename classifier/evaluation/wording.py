"""How values are written for people, the same in the terminal, in HTML and in Markdown."""

from __future__ import annotations

from classifier.evaluation.goals import Goal
from classifier.evaluation.intervals import Between, Rate

LANGUAGE_NAMES = {
    "ar": "Arabic",
    "zh": "Chinese",
    "en": "English",
    "fr": "French",
    "ru": "Russian",
    "es": "Spanish",
    "und": "undetermined",
}
NOTHING = "–"


def name(value: str) -> str:
    """Return a language code, a label of the taxonomy or a kind as words."""
    return LANGUAGE_NAMES.get(value, value.replace("_", " "))


def percent(value: float) -> str:
    """Return a share in per cent, finer below one and close to a hundred."""
    share = 100 * value
    return f"{share:.2f}" if 0 < share < 1 or 99 < share < 100 else f"{share:.1f}"


def interval(value: Rate | Between | None) -> str:
    """Return a share with its interval, such as ``86.7 (70.3 to 94.7)``."""
    if value is None:
        return NOTHING
    return f"{percent(value.value)} ({percent(value.low)} to {percent(value.high)})"


def decimal(value: float | None) -> str:
    """Return a number of three decimals, of five where it would look like 0 or 1."""
    if value is None:
        return NOTHING
    close = 0 < value < 0.0005 or 0.9995 <= value < 1
    return f"{value:.5f}" if close else f"{value:.3f}"


def bound(goal: Goal) -> str:
    """Return what a goal asks for."""
    if goal.at_least is not None:
        return f"≥ {_exact(goal.at_least)}"
    return f"≤ {_exact(goal.at_most or 0.0)}"


def measured(goal: Goal) -> str:
    """Return what was measured, no finer than it can be."""
    return f"{goal.value:.1f}" if "points" in goal.measure else f"{goal.value:.4f}"


def met(goal: Goal) -> str:
    """Return whether a goal is met, and whether there are pages enough to be certain."""
    return ("yes" if goal.met else "no") + (", not certain" if goal.certain is False else "")


def _exact(value: float) -> str:
    return f"{value:g}"


def base_rate(value: float) -> str:
    """Return a share of pages as ``1 in 1,000``."""
    return f"1 in {round(1 / value):,}"
