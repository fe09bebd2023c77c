"""What is asked of each passage, and the scikit-learn models that answer (DESIGN §8).

Three binary heads decide: *concern* (how-to of concern), *form* (guide form) and *subject* (firearms, parts,
ammunition). Each sees a passage in three views: its embedding, through a support vector machine with a radial kernel;
its hashed character n-grams, through a logistic regression; and how often it names the subject. A small logistic
regression, fitted on held-out folds, joins them. The others describe: *subjects*, *techniques*, *methods* (one head a
label) and *context* (multinomial, with ``concern`` as one class), on the embedding alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.svm import SVC

from classifier.encoder import Embeddings
from classifier.examples import Example, themes
from classifier.lexicon import mentions
from classifier.taxonomy import CONTEXTS, METHODS, SUBJECTS, TECHNIQUES

Floats = NDArray[np.float64]

BINARY = ("concern", "form", "subject")
CONCERN = "concern"
COLUMNS = 2**17
"""Of the hashed lexical view."""
LABELS = {"subjects": SUBJECTS, "techniques": TECHNIQUES, "methods": METHODS}
_CLIP = 1e-6
_WORD = re.compile(r"[\u4e00-\u9fff]{1,2}|[^\W_]+")


@dataclass(frozen=True, slots=True)
class PassageScores:
    """Probabilities for n passages; the columns follow the taxonomy."""

    concern: Floats
    """Shape (n,), as are ``form`` and ``subject``."""
    form: Floats
    subject: Floats
    subjects: Floats
    """Shape (n, 3)."""
    techniques: Floats
    """Shape (n, 6)."""
    methods: Floats
    """Shape (n, 4)."""
    contexts: Floats
    """Shape (n, 12): the contexts in their order, then ``concern``."""
    mentions: Floats
    """Shape (n, 2): see `lexicon.mentions`."""

    def take(self, rows: Sequence[int] | slice) -> PassageScores:
        """Return the scores of some passages, in the order given."""
        return PassageScores(*(getattr(self, name)[rows] for name in self.__slots__))


def parts() -> tuple[str, ...]:
    """Return the names of all estimators that `Heads` needs."""
    views = (f"{name}_{view}" for name in BINARY for view in ("embedding", "lexical", "joint"))
    labels = (f"{kind}/{name}" for kind, names in LABELS.items() for name in names)
    return ("lexical", *views, *labels, "context")


def logit(p: Floats) -> Floats:
    """Return the log-odds, finite for 0 and 1."""
    p = np.clip(p, _CLIP, 1 - _CLIP)
    return np.asarray(np.log(p) - np.log1p(-p))


class Heads:
    """The fitted heads.

    Parameters
    ----------
    estimators
        scikit-learn estimators by name, as `fit` makes them and `registry` saves them.
    """

    def __init__(self, estimators: dict[str, Any]) -> None:
        self.estimators = estimators
        self._hashing = ngrams(estimators["lexical"].n_features_in_)

    def lexical(self, texts: Sequence[str]) -> csr_matrix:
        """Return the character n-gram view of normalised texts, shape (n, columns)."""
        return self.estimators["lexical"].transform(self._hashing.transform(texts))

    def predict(self, texts: Sequence[str], embeddings: Embeddings) -> PassageScores:
        """Return the probabilities of all heads for normalised ``texts`` and their embeddings (n, dim)."""
        n = len(texts)
        if not n:
            none = np.zeros(0)
            return PassageScores(
                none,
                none,
                none,
                np.zeros((0, 3)),
                np.zeros((0, 6)),
                np.zeros((0, 4)),
                np.zeros((0, 12)),
                np.zeros((0, 2)),
            )
        view, said = self.lexical(texts), mentions(texts)
        binary = {name: self._binary(name, embeddings, view, said) for name in BINARY}
        subjects, techniques, methods = (
            np.column_stack([self._label(f"{kind}/{name}", embeddings) for name in names])
            for kind, names in LABELS.items()
        )
        contexts = np.asarray(self.estimators["context"].predict_proba(embeddings))
        return PassageScores(
            binary["concern"],
            binary["form"],
            binary["subject"],
            subjects,
            techniques,
            methods,
            self._in_order(contexts),
            said,
        )

    def _binary(self, name: str, embeddings: Embeddings, view: csr_matrix, said: Floats) -> Floats:
        views = np.column_stack(
            [
                radial_decision(self.estimators[f"{name}_embedding"], embeddings),
                self.estimators[f"{name}_lexical"].decision_function(view),
                said,
            ]
        )
        return np.asarray(self.estimators[f"{name}_joint"].predict_proba(views)[:, 1])

    def _label(self, name: str, embeddings: Embeddings) -> Floats:
        """Return the probability of one label; 0 for one that no training passage had, 1 for one that all had."""
        head = self.estimators[name]
        if len(head.classes_) == 1:
            return np.full(len(embeddings), float(head.classes_[0]))
        return np.asarray(head.predict_proba(embeddings)[:, 1])

    def _in_order(self, contexts: Floats) -> Floats:
        classes = list(self.estimators["context"].classes_)
        ordered = np.zeros((len(contexts), len(CONTEXTS) + 1))
        for column, name in enumerate((*CONTEXTS, CONCERN)):
            if name in classes:
                ordered[:, column] = contexts[:, classes.index(name)]
        return ordered

    def words(self, text: str, most: int = 8) -> tuple[tuple[str, float], ...]:
        """Return the words of a normalised text that moved the lexical view of *concern*, largest effect first.

        The view is linear and its n-grams never cross words, so a word's effect is the sum over its n-grams.
        """
        words = list(dict.fromkeys(_WORD.findall(text.lower())))
        if not words:
            return ()
        scale = float(self.estimators["concern_joint"].coef_[0][1])
        row = self.lexical([text])
        moved = np.zeros(row.shape[1])
        moved[row.indices] = row.data * self.estimators["concern_lexical"].coef_[0][row.indices] * scale
        grams = self._hashing.transform(words)
        effects = [float(moved[grams.indices[grams.indptr[i] : grams.indptr[i + 1]]].sum()) for i in range(len(words))]
        strongest = sorted(range(len(words)), key=lambda i: -abs(effects[i]))[:most]
        return tuple((words[i], round(effects[i], 3)) for i in strongest if abs(effects[i]) >= 0.005)


def ngrams(columns: int) -> HashingVectorizer:
    """Return the stateless vectoriser of the lexical view: character 2- to 4-grams inside words, hashed."""
    return HashingVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), n_features=columns, alternate_sign=False, norm=None, dtype=np.float32
    )


def radial_decision(machine: SVC, embeddings: Embeddings) -> Floats:
    """Return the decision function of a fitted binary `SVC` with an RBF kernel, by matrix product (n,)."""
    support = machine.support_vectors_
    squared = (embeddings**2).sum(axis=1)[:, None] + (support**2).sum(axis=1)[None, :] - 2 * embeddings @ support.T
    kernel = np.exp(-machine.gamma * np.maximum(squared, 0.0))
    return np.asarray(kernel @ machine.dual_coef_[0] + machine.intercept_[0])


def fit(
    examples: Sequence[Example], texts: Sequence[str], embeddings: Embeddings, *, seed: int = 0, columns: int = COLUMNS
) -> Heads:
    """Return heads fitted on ``examples`` with their normalised ``texts`` and ``embeddings`` (n, dim)."""
    lexical = TfidfTransformer(sublinear_tf=True)
    view = lexical.fit_transform(ngrams(columns).transform(texts))
    said = mentions(texts)
    estimators: dict[str, Any] = {"lexical": lexical}
    groups = themes(examples)
    for name, y in binary_targets(examples).items():
        held_out = np.zeros((len(y), 2))
        for train, test in GroupKFold(n_splits=5).split(embeddings, y, groups):
            held_out[test, 0] = (
                _logistic(5.0, seed).fit(embeddings[train], y[train]).decision_function(embeddings[test])
            )
            held_out[test, 1] = _logistic(10.0, seed).fit(view[train], y[train]).decision_function(view[test])
        estimators[f"{name}_embedding"] = _radial().fit(embeddings, y)
        estimators[f"{name}_lexical"] = _logistic(10.0, seed).fit(view, y)
        estimators[f"{name}_joint"] = LogisticRegression(C=1.0).fit(np.column_stack([held_out, said]), y)
    about = [i for i, example in enumerate(examples) if example.subjects]
    concern = [i for i, example in enumerate(examples) if example.of_concern]
    labels: dict[str, tuple[list[int], list[tuple[str, ...]]]] = {
        "subjects": (about, [examples[i].subjects for i in about]),
        "techniques": (concern, [examples[i].techniques for i in concern]),
        "methods": (concern, [(method,) if (method := examples[i].method) else () for i in concern]),
    }
    for kind, (rows, given) in labels.items():
        for name in LABELS[kind]:
            y = np.array([int(name in each) for each in given])
            estimators[f"{kind}/{name}"] = _label_head(seed, y).fit(embeddings[rows], y)
    contexts = np.array([example.context or CONCERN for example in examples])
    estimators["context"] = LogisticRegression(C=5.0, max_iter=2000, class_weight="balanced").fit(embeddings, contexts)
    return Heads(estimators)


def binary_targets(examples: Sequence[Example]) -> dict[str, NDArray[np.int64]]:
    """Return 0/1 targets of the binary heads, each of shape (n,)."""
    return {
        "concern": np.array([int(example.of_concern) for example in examples]),
        "form": np.array([int(example.guide) for example in examples]),
        "subject": np.array([int(bool(example.subjects)) for example in examples]),
    }


def _logistic(c: float, seed: int) -> LogisticRegression:
    return LogisticRegression(C=c, max_iter=2000, class_weight="balanced", random_state=seed)


def _radial() -> SVC:
    return SVC(C=5.0, gamma=1.0, class_weight="balanced")


def _label_head(seed: int, y: NDArray[np.int64]) -> LogisticRegression | DummyClassifier:
    """Return an unfitted head for one label; a logistic regression cannot learn from one class."""
    return _logistic(5.0, seed) if len(set(y.tolist())) == 2 else DummyClassifier()
