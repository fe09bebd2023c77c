"""Rates with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054
"""The 97.5th percentile of the normal distribution: two-sided 95 %."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` out of ``of``, with a 95 % Wilson interval."""

    value: float
    low: float
    high: float
    count: int
    of: int


@dataclass(frozen=True, slots=True)
class Between:
    """A value that is no simple rate, and the interval that follows from those of its parts."""

    value: float
    low: float
    high: float


def wilson(count: int, of: int, z: float = Z95) -> tuple[float, float]:
    """Return the Wilson score interval of ``count`` out of ``of`` > 0.

    Unlike the textbook interval it stays inside [0, 1] and is not empty at 0 or 1.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    p = count / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return (0.0 if count == 0 else middle - half), (1.0 if count == of else middle + half)


def rate(count: int, of: int) -> Rate | None:
    """Return ``count`` out of ``of`` with its interval, or None where there is nothing to count."""
    if of == 0:
        return None
    low, high = wilson(count, of)
    return Rate(count / of, low, high, count, of)


def precision_at(base_rate: float, recall: Rate, false_positive_rate: Rate) -> Between:
    """Return the precision where ``base_rate`` of all pages are of concern, by Bayes' rule.

    The interval pairs the worst recall with the worst false-positive rate, and the best with the best; it is wider
    than need be, never narrower.
    """

    def at(r: float, f: float) -> float:
        found, alarms = base_rate * r, (1 - base_rate) * f
        return found / (found + alarms) if found + alarms else 0.0

    return Between(
        at(recall.value, false_positive_rate.value),
        at(recall.low, false_positive_rate.high),
        at(recall.high, false_positive_rate.low),
    )
