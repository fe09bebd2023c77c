"""What is asked of each passage, and the models that answer (DESIGN §8).

Three binary heads decide: *concern* (how-to of concern), *form* (guide form) and *subject* (firearms, parts,
ammunition). Each sees a passage in three views: its embedding, through a radial kernel over the training passages; its
hashed character n-grams, through a logistic regression; and how often it names the subject. A small logistic
regression, fitted on held-out folds, joins them. *Context* is multinomial, on the embedding, with ``concern`` as one
class. What a page is about and promises is asked of the page: see `labels`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from classifier import labels, memory
from classifier.encoders import Embeddings
from classifier.examples import Example, themes
from classifier.labels import Gists
from classifier.lexicon import mentions
from classifier.memory import Floats, Memory
from classifier.taxonomy import CONTEXTS
from classifier.verdict import Nearest

BINARY = ("concern", "form", "subject")
CONCERN = "concern"
COLUMNS = 2**17
"""Of the hashed lexical view."""
_CLIP = 1e-6
_WORD = re.compile(r"[\u4e00-\u9fff]{1,2}|[^\W_]+")


@dataclass(frozen=True, slots=True)
class PassageScores:
    """Probabilities for n passages; the columns follow the taxonomy."""

    concern: Floats
    """Shape (n,), as are ``form`` and ``subject``."""
    form: Floats
    subject: Floats
    contexts: Floats
    """Shape (n, 12): the contexts in their order, then ``concern``."""
    mentions: Floats
    """Shape (n, 2): see `lexicon.mentions`."""

    def take(self, rows: Sequence[int] | slice) -> PassageScores:
        """Return the scores of some passages, in the order given."""
        return PassageScores(*(getattr(self, name)[rows] for name in self.__slots__))


def parts() -> tuple[str, ...]:
    """Return the names of all estimators that `Heads` needs."""
    views = (f"{name}_{view}" for name in BINARY for view in ("lexical", "joint"))
    return ("memory", "memory_ids", "memory_of_concern", "radial", "lexical", *views, "context", *labels.parts())


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
        self._memory = Memory(estimators["memory"])

    def lexical(self, texts: Sequence[str]) -> csr_matrix:
        """Return the character n-gram view of normalised texts, shape (n, columns)."""
        if not texts:
            return csr_matrix((0, self.estimators["lexical"].n_features_in_), dtype=np.float32)
        return self.estimators["lexical"].transform(self._hashing.transform(texts))

    def predict(self, texts: Sequence[str], embeddings: Embeddings, view: csr_matrix | None = None) -> PassageScores:
        """Return the probabilities of all heads for normalised texts.

        Parameters
        ----------
        texts, embeddings
            n texts and their embeddings (n, dim).
        view
            What `lexical` returns for them, where it is known already.
        """
        if not texts:
            none = np.zeros(0)
            return PassageScores(none, none, none, np.zeros((0, len(CONTEXTS) + 1)), np.zeros((0, 2)))
        view, said = self.lexical(texts) if view is None else view, mentions(texts)
        radial = self._memory.decisions(embeddings, self.estimators["radial"])
        binary = {name: self._binary(name, radial[:, column], view, said) for column, name in enumerate(BINARY)}
        contexts = np.asarray(self.estimators["context"].predict_proba(np.asarray(embeddings, np.float64)))
        return PassageScores(binary["concern"], binary["form"], binary["subject"], self._in_order(contexts), said)

    def labels(self, gists: Gists) -> dict[str, Floats]:
        """Return, for ``subjects``, ``techniques`` and ``methods``, probabilities of shape (pages, labels)."""
        return labels.predict(self.estimators, self._memory, gists)

    def nearest(self, embeddings: Embeddings, most: int = 3) -> list[tuple[Nearest, ...]]:
        """Return, for each passage's embedding (n, dim), the nearest training passages, nearest first."""
        ids, concern = self.estimators["memory_ids"], self.estimators["memory_of_concern"]
        return [
            tuple(Nearest(ids[row], round(cosine, 3), bool(concern[row])) for row, cosine in found)
            for found in self._memory.nearest(embeddings, most)
        ]

    def _binary(self, name: str, radial: Floats, view: csr_matrix, said: Floats) -> Floats:
        views = np.column_stack([radial, self.estimators[f"{name}_lexical"].decision_function(view), said])
        return np.asarray(self.estimators[f"{name}_joint"].predict_proba(views)[:, 1])

    def _in_order(self, contexts: Floats) -> Floats:
        classes = list(self.estimators["context"].classes_)
        ordered = np.zeros((len(contexts), len(CONTEXTS) + 1))
        for column, name in enumerate((*CONTEXTS, CONCERN)):
            if name in classes:
                ordered[:, column] = contexts[:, classes.index(name)]
        return ordered

    def words(
        self, texts: Sequence[str], view: csr_matrix | None = None, *, most: int = 8
    ) -> list[tuple[tuple[str, float], ...]]:
        """Return, for each text, the words that moved the lexical view of *concern*, largest effect first.

        The view is linear and its n-grams never cross words, so a word's effect is the sum over its n-grams.

        Parameters
        ----------
        texts, view
            Normalised texts, and what `lexical` returns for them, where it is known already.
        most
            Words a text.
        """
        view = self.lexical(texts) if view is None else view
        words = [list(dict.fromkeys(_WORD.findall(text.lower()))) for text in texts]
        weights = self.estimators["concern_lexical"].coef_[0] * float(self.estimators["concern_joint"].coef_[0][1])
        grams = self._grams_of(word for own in words for word in own)
        moved = np.zeros(view.shape[1])
        found = []
        for row, own in enumerate(words):
            columns = view.indices[view.indptr[row] : view.indptr[row + 1]]
            moved[columns] = view.data[view.indptr[row] : view.indptr[row + 1]] * weights[columns]
            found.append(_strongest(own, [float(moved[grams[word]].sum()) for word in own], most))
            moved[columns] = 0.0
        return found

    def _grams_of(self, words: Iterable[str]) -> dict[str, NDArray[np.int32]]:
        """Return the columns of the n-grams of each word."""
        distinct = list(dict.fromkeys(words))
        if not distinct:
            return {}
        view = self._hashing.transform(distinct)
        return {word: view.indices[a:b] for word, a, b in zip(distinct, view.indptr, view.indptr[1:], strict=False)}


def _strongest(words: Sequence[str], effects: Sequence[float], most: int) -> tuple[tuple[str, float], ...]:
    order = sorted(range(len(words)), key=lambda i: -abs(effects[i]))[:most]
    return tuple((words[i], round(effects[i], 3)) for i in order if abs(effects[i]) >= 0.005)


def ngrams(columns: int) -> HashingVectorizer:
    """Return the stateless vectoriser of the lexical view: character 2- to 4-grams inside words, hashed."""
    return HashingVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), n_features=columns, alternate_sign=False, norm=None, dtype=np.float32
    )


def fit(
    examples: Sequence[Example],
    texts: Sequence[str],
    embeddings: Embeddings,
    *,
    gists: Gists | None = None,
    seed: int = 0,
    columns: int = COLUMNS,
) -> Heads:
    """Return heads fitted on ``examples`` with their normalised ``texts`` and ``embeddings`` (n, dim).

    Parameters
    ----------
    gists
        The examples as the label heads see them; without, those heads are not fitted, and `Heads.labels` fails.
    """
    lexical = TfidfTransformer(sublinear_tf=True)
    view = lexical.fit_transform(ngrams(columns).transform(texts))
    said = mentions(texts)
    gram = memory.kernel(embeddings, embeddings)
    estimators: dict[str, Any] = {
        "lexical": lexical,
        "memory": np.asarray(embeddings, np.float32),
        "memory_ids": [example.id for example in examples],
        "memory_of_concern": np.array([example.of_concern for example in examples]),
    }
    groups = themes(examples)
    radial = []
    for name, y in binary_targets(examples).items():
        held_out = np.zeros((len(y), 2))
        for train, test in GroupKFold(n_splits=5).split(embeddings, y, groups):
            head = memory.fit(gram, y[train], train)
            held_out[test, 0] = gram[test] @ head[:-1] + head[-1]
            held_out[test, 1] = _logistic(10.0, seed).fit(view[train], y[train]).decision_function(view[test])
        radial.append(memory.fit(gram, y))
        estimators[f"{name}_lexical"] = _logistic(10.0, seed).fit(view, y)
        estimators[f"{name}_joint"] = LogisticRegression(C=1.0).fit(np.column_stack([held_out, said]), y)
    estimators["radial"] = np.column_stack(radial)
    contexts = np.array([example.context or CONCERN for example in examples])
    estimators["context"] = LogisticRegression(C=5.0, max_iter=2000, class_weight="balanced").fit(
        np.asarray(embeddings, np.float64), contexts
    )
    if gists is not None:
        estimators |= labels.fit(examples, gists, gram)
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
