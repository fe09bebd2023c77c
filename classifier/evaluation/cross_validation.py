"""Cross-validate on the training corpus: whole pipelines, trained without what they are asked about."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from classifier import registry, training
from classifier.composing import ComposedPage, compose
from classifier.encoders import Embeddings, Encoder
from classifier.evaluation.intervals import Rate, rate
from classifier.evaluation.judging import Progress, judged
from classifier.evaluation.metrics import average_precision, calibration_error
from classifier.examples import Example, themes
from classifier.verdict import Verdict

FOLDS = 5
Train = Callable[[Sequence[Example], Encoder], registry.Fitted]

GROUPINGS: dict[str, Callable[[Sequence[Example]], list[str]]] = {
    "theme": themes,
    "register": lambda examples: [example.register for example in examples],
}
"""A model that has learnt the source instead of the matter does well on neither: no theme, or no register, of the
passages that it is asked about was in what it was trained on."""


@dataclass(frozen=True, slots=True)
class Fold:
    """What one model says of pages composed of the passages that it was not trained on."""

    fold: str
    groups: tuple[str, ...]
    passages: int
    pages: int
    recall: Rate | None
    false_positive_rate: Rate | None
    average_precision: float | None
    calibration_error: float


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean and standard deviation over folds."""

    measure: str
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Folds by one grouping; ``kinds`` and ``languages`` pool the pages of all of them."""

    grouped_by: str
    folds: tuple[Fold, ...]
    means: tuple[Mean, ...]
    kinds: tuple[Fold, ...]
    languages: tuple[Fold, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    page: ComposedPage
    verdict: Verdict


class RememberingEncoder:
    """An encoder that encodes every text once: folds share most of their passages.

    Parameters
    ----------
    encoder
        The encoder that does the work.
    """

    at_once = 1

    def __init__(self, encoder: Encoder) -> None:
        self.name = encoder.name
        self._encoder = encoder
        self._known: dict[str, Any] = {}

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return what the encoder returns."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._encoder.encode(new), strict=True))
        if not texts:
            return self._encoder.encode([])
        return np.stack([self._known[text] for text in texts])


def cross_validate(
    examples: Sequence[Example],
    encoder: Encoder,
    *,
    seed: int = 0,
    progress: Progress = lambda *_: None,
    train: Train | None = None,
) -> tuple[CrossValidation, ...]:
    """Return the cross-validation by each of `GROUPINGS`.

    Parameters
    ----------
    examples, encoder
        The training corpus, and what makes vectors of it; each text is encoded once.
    train
        Makes a model of examples; `training.train` unless given.

    Raises
    ------
    ValueError
        There are fewer groups than folds.
    """
    remembering = RememberingEncoder(encoder)
    make = train or (lambda given, one: training.train(given, one, seed=seed))
    total = FOLDS * len(GROUPINGS)
    made = []
    for number, (name, grouping) in enumerate(GROUPINGS.items()):
        groups = grouping(examples)
        asked: list[_Asked] = []
        folds: list[Fold] = []
        for fold, (rest, own) in enumerate(GroupKFold(n_splits=FOLDS).split(groups, groups=groups)):
            progress("cross-validating", number * FOLDS + fold, total)
            fitted = make([examples[i] for i in rest], remembering)
            answers = list(_ask(fitted, remembering, compose([examples[i] for i in own], seed=seed + fold)))
            held_groups = tuple(sorted({groups[i] for i in own}))
            folds.append(_fold(str(fold + 1), answers, groups=held_groups, passages=len(own)))
            asked += answers
        made.append(_summary(name, folds, asked))
    progress("cross-validating", total, total)
    return tuple(made)


def _summary(grouped_by: str, folds: Sequence[Fold], asked: Sequence[_Asked]) -> CrossValidation:
    return CrossValidation(
        grouped_by,
        tuple(folds),
        tuple(_means(folds)),
        tuple(_pooled(asked, lambda page: page.kind)),
        tuple(_pooled(asked, lambda page: page.language)),
    )


def _ask(fitted: registry.Fitted, encoder: Encoder, pages: Sequence[ComposedPage]) -> Iterator[_Asked]:
    """Yield verdicts of a model as it would be shipped: saved, loaded, with its screen and threshold."""
    with tempfile.TemporaryDirectory() as folder:
        registry.save(fitted, Path(folder))
        classifier = registry.load(Path(folder), encoder=encoder)
    for page, _, verdict in judged(classifier, ((page, page.document) for page in pages)):
        yield _Asked(page, verdict)


def _fold(name: str, asked: Sequence[_Asked], *, groups: tuple[str, ...] = (), passages: int = 0) -> Fold:
    y = np.array([int(one.page.of_concern) for one in asked], dtype=np.int64)
    p = np.array([one.verdict.score for one in asked])
    flagged = np.array([one.verdict.flagged for one in asked])
    return Fold(
        name,
        groups,
        passages,
        len(asked),
        rate(int((flagged & (y == 1)).sum()), int((y == 1).sum())),
        rate(int((flagged & (y == 0)).sum()), int((y == 0).sum())),
        average_precision(y, p),
        calibration_error(y, p),
    )


def _pooled(asked: Sequence[_Asked], of: Callable[[ComposedPage], str]) -> Iterator[Fold]:
    for value in dict.fromkeys(of(one.page) for one in asked):
        yield _fold(value, [one for one in asked if of(one.page) == value])


def _means(folds: Sequence[Fold]) -> Iterator[Mean]:
    measures: dict[str, list[float | None]] = {
        "recall": [fold.recall.value if fold.recall else None for fold in folds],
        "false-positive rate": [f.false_positive_rate.value if f.false_positive_rate else None for f in folds],
        "average precision": [fold.average_precision for fold in folds],
        "calibration error": [fold.calibration_error for fold in folds],
    }
    for measure, given in measures.items():
        values = [value for value in given if value is not None]
        if values:
            deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            yield Mean(measure, float(np.mean(values)), deviation)
