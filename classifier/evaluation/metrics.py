"""Numbers of scores against labels; each takes 0/1 labels ``y`` and scores ``p`` in [0, 1], both of shape (n,)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from classifier.evaluation.intervals import Rate, rate

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bin:
    """Pages whose scores lie in [low, high), the last bin with its upper end."""

    low: float
    high: float
    pages: int
    mean_score: float
    of_concern: Rate


@dataclass(frozen=True, slots=True)
class Count:
    """How many pages of each label score in [low, high), the last bin with its upper end."""

    low: float
    high: float
    of_concern: int
    harmless: int


@dataclass(frozen=True, slots=True)
class Point:
    """Precision and recall of flagging at a threshold."""

    threshold: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How well one label is told among pages that may have several."""

    label: str
    pages: int
    """That have it."""
    predicted: int
    precision: Rate | None
    recall: Rate | None
    f1: float


@dataclass(frozen=True, slots=True)
class LabelScores:
    """All labels of a kind; the macro average is over the labels that some page has."""

    pages: int
    macro_f1: float | None
    labels: tuple[LabelScore, ...]


def average_precision(y: Labels, p: Scores) -> float | None:
    """Return the area under the precision-recall curve (step-wise), or None without a positive."""
    return float(average_precision_score(y, p)) if y.any() else None


def roc_auc(y: Labels, p: Scores) -> float | None:
    """Return the area under the receiver operating characteristic, or None where one class is missing."""
    return float(roc_auc_score(y, p)) if 0 < y.sum() < len(y) else None


def brier(y: Labels, p: Scores) -> float | None:
    """Return the mean squared distance of scores from labels, or None without pages."""
    return float(np.mean((p - y) ** 2)) if len(y) else None


def reliability(y: Labels, p: Scores, bins: int = 10) -> tuple[Bin, ...]:
    """Return the equal-width bins that hold pages, lowest first."""
    which = _bins(p, bins)
    found = []
    for b in range(bins):
        own = which == b
        share = rate(int(y[own].sum()), int(own.sum()))
        if share:
            found.append(Bin(b / bins, (b + 1) / bins, share.of, float(p[own].mean()), share))
    return tuple(found)


def calibration_error(y: NDArray[Any], p: Scores, bins: int = 10) -> float:
    """Return the expected calibration error: the gap between mean score and share of concern, over equal-width bins."""
    held = reliability(np.asarray(y, dtype=np.int64), p, bins)
    return sum(abs(b.of_concern.value - b.mean_score) * b.pages for b in held) / max(len(p), 1)


def histogram(y: Labels, p: Scores, bins: int = 20) -> tuple[Count, ...]:
    """Return all equal-width bins, lowest first."""
    which = _bins(p, bins)
    return tuple(
        Count(b / bins, (b + 1) / bins, int(((which == b) & (y == 1)).sum()), int(((which == b) & (y == 0)).sum()))
        for b in range(bins)
    )


def curve(y: Labels, p: Scores, most: int = 200) -> tuple[Point, ...]:
    """Return the precision-recall curve from low thresholds to high, thinned to about ``most`` points."""
    if not y.any():
        return ()
    precision, recall, thresholds = precision_recall_curve(y, p)
    moved = np.flatnonzero(np.diff(recall, append=-1.0) != 0)  # of equal recalls the one of the highest precision
    rows = moved if len(moved) <= most else moved[np.linspace(0, len(moved) - 1, most).round().astype(int)]
    return tuple(
        Point(float(thresholds[i]) if i < len(thresholds) else 1.0, float(precision[i]), float(recall[i]))
        for i in dict.fromkeys(rows.tolist())
    )


def label_scores(
    given: Sequence[Iterable[str]], predicted: Sequence[Iterable[str]], names: Sequence[str]
) -> LabelScores:
    """Return precision, recall and F1 of each of ``names``, and the macro average over those that are given at all.

    Parameters
    ----------
    given, predicted
        The labels of each page, true and predicted.
    """
    pairs = [(set(one), set(other)) for one, other in zip(given, predicted, strict=True)]
    scores = []
    for name in names:
        have = sum(name in one for one, _ in pairs)
        said = sum(name in other for _, other in pairs)
        hits = sum(name in one and name in other for one, other in pairs)
        f1 = 2 * hits / (have + said) if have + said else 0.0
        scores.append(LabelScore(name, have, said, rate(hits, said), rate(hits, have), f1))
    had = [score.f1 for score in scores if score.pages]
    return LabelScores(len(pairs), sum(had) / len(had) if had else None, tuple(scores))


def _bins(p: Scores, bins: int) -> NDArray[np.int64]:
    return np.minimum((p * bins).astype(np.int64), bins - 1)
