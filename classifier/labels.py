"""What a page is about and promises: subjects, techniques and methods, asked once a page of its deciding passages.

Each label has three views, joined by a small logistic regression that is fitted on held-out folds: the mean embedding
of the passages, through the radial kernel; the words that belong to the labels, counted in the passages and in the
title; and the embedding of the title. The heads learn from the passages of concern alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from classifier import memory
from classifier.encoders import Embeddings
from classifier.examples import Example, themes
from classifier.lexicon import label_words
from classifier.memory import Floats, Memory
from classifier.taxonomy import METHODS, SUBJECTS, TECHNIQUES

LABELS = {"subjects": SUBJECTS, "techniques": TECHNIQUES, "methods": METHODS}
NAMES = tuple(f"{kind}/{name}" for kind, names in LABELS.items() for name in names)
_FOLDS = 5
_NONE: Floats = np.zeros((0, 1))


@dataclass(frozen=True, slots=True)
class Gists:
    """The deciding passages of n pages, each page's as one."""

    embeddings: Embeddings | Floats
    """Means of the passages' embeddings, shape (n, dim)."""
    texts: Sequence[str]
    """The passages, normalised and joined."""
    titles: Sequence[str]
    """Normalised; empty where there is none."""
    title_embeddings: Embeddings | Floats
    """Shape (n, dim); zero where there is no title."""


def parts() -> tuple[str, ...]:
    """Return the names of all estimators that the label heads need."""
    return ("labels_radial", *(f"{name}_{view}" for name in NAMES for view in ("words", "title", "joint")))


def predict(estimators: dict[str, Any], passages: Memory, gists: Gists) -> dict[str, Floats]:
    """Return, for each kind of label, probabilities of shape (n, labels) in the order of the taxonomy."""
    if not len(gists.texts):
        return {kind: np.zeros((0, len(names))) for kind, names in LABELS.items()}
    radial = passages.decisions(_unit(gists.embeddings), estimators["labels_radial"])
    others = {"words": _words(gists), "title": np.asarray(gists.title_embeddings, np.float64)}
    columns = {name: _probability(estimators, name, radial[:, column], others) for column, name in enumerate(NAMES)}
    return {kind: np.column_stack([columns[f"{kind}/{name}"] for name in names]) for kind, names in LABELS.items()}


def fit(examples: Sequence[Example], gists: Gists, gram: Floats) -> dict[str, Any]:
    """Return the fitted label heads.

    Parameters
    ----------
    examples, gists
        The training passages, each as a page of its own.
    gram
        Radial kernel of the passages with one another, shape (n, n).
    """
    rows = np.array([i for i, example in enumerate(examples) if example.of_concern])
    chosen = [examples[i] for i in rows]
    words = _words(Gists(_NONE, [gists.texts[i] for i in rows], [gists.titles[i] for i in rows], _NONE))
    views = {"words": words, "title": np.asarray(gists.title_embeddings, np.float64)[rows]}
    groups = themes(chosen)
    estimators: dict[str, Any] = {}
    weights = np.zeros((len(examples) + 1, len(NAMES)))
    for column, name in enumerate(NAMES):
        y = np.array([int(_has(example, name)) for example in chosen], dtype=np.int64)
        if len(np.unique(y)) < 2 or len(set(groups)) < _FOLDS:
            constant = float(y.mean()) if len(y) else 0.0
            estimators |= {f"{name}_words": None, f"{name}_title": None, f"{name}_joint": constant}
            continue
        held_out = np.zeros((len(y), 1 + len(views)))
        for train, test in GroupKFold(n_splits=_FOLDS).split(rows, y, groups):
            if len(np.unique(y[train])) < 2:
                continue
            head = memory.fit(gram, y[train], rows[train])
            held_out[test, 0] = gram[rows[test]] @ head[:-1] + head[-1]
            for place, (view, x) in enumerate(views.items(), start=1):
                held_out[test, place] = _HEADS[view]().fit(x[train], y[train]).decision_function(x[test])
        weights[:, column] = memory.fit(gram, y, rows)
        estimators |= {f"{name}_{view}": _HEADS[view]().fit(x, y) for view, x in views.items()}
        estimators[f"{name}_joint"] = LogisticRegression(C=1.0).fit(held_out, y)
    return {"labels_radial": weights, **estimators}


def _probability(estimators: dict[str, Any], name: str, radial: Floats, others: dict[str, Floats]) -> Floats:
    """Return the probability of one label; what all training passages said where they all said the same."""
    joint = estimators[f"{name}_joint"]
    if isinstance(joint, float):
        return np.full(len(radial), joint)
    said = [estimators[f"{name}_{view}"].decision_function(x) for view, x in others.items()]
    return np.asarray(joint.predict_proba(np.column_stack([radial, *said]))[:, 1])


def _has(example: Example, name: str) -> bool:
    kind, _, label = name.partition("/")
    given = {"subjects": example.subjects, "techniques": example.techniques, "methods": (example.method or "",)}
    return label in given[kind]


def _words(gists: Gists) -> Floats:
    """Return log counts and shares of the labels' words, in the passages and in the titles."""
    views = [label_words(gists.texts), label_words(gists.titles)]
    shares = [counts / np.maximum(1.0, counts.sum(axis=1, keepdims=True)) for counts in views]
    return np.column_stack([*(np.log1p(counts) for counts in views), *shares])


def _unit(embeddings: Embeddings | Floats) -> Floats:
    norms: NDArray[np.float64] = np.linalg.norm(np.asarray(embeddings, np.float64), axis=1, keepdims=True)
    return np.asarray(embeddings / np.maximum(norms, 1e-12))


def _word_head() -> Any:
    return make_pipeline(
        StandardScaler(), LogisticRegression(C=0.05, max_iter=2000, class_weight="balanced", random_state=0)
    )


def _title_head() -> Any:
    return LogisticRegression(C=3.0, max_iter=2000, class_weight="balanced", random_state=0)


_HEADS = {"words": _word_head, "title": _title_head}
