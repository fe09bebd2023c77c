"""The cheap screen: which passages of a page deserve the encoder, in two looks.

The first look counts words (a Chinese character is a word), some 8,000 passages a second. Passages that it suspects,
from `FIRST` on, get a closer look, at words, at letters inside words, and at how often they name the subject. Every
passage from `BOUND` on goes on; of a page without one only the strongest, and none at all where even that stays under
`CLEAR` (ADR 0018).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from classifier.lexicon import mentions

PARTS = ("screen", "closer")
FIRST = 0.05
BOUND = 0.3
CLEAR = 0.12
"""No held-out page under it would have been flagged, or shown; twelve in thirteen harmless pages of the web are."""
MOST = 3
"""As many passages as a verdict names: more move held-out figures by a thousandth, and make suspects dearer."""
_TOKEN = r"[\u4e00-\u9fff]|[^\W_]+"  # noqa: S105
_MENTIONED = 0.25
"""What one step of `mentions` weighs beside a view of length 1."""


def words() -> HashingVectorizer:
    """Return the stateless word view: unigrams and bigrams, 2^18 columns."""
    return HashingVectorizer(
        n_features=2**18, token_pattern=_TOKEN, ngram_range=(1, 2), alternate_sign=False, dtype=np.float32
    )


def letters() -> HashingVectorizer:
    """Return the stateless letter view: whether a text has this piece of three or four letters, 2^17 columns."""
    return HashingVectorizer(
        n_features=2**17, analyzer="char_wb", ngram_range=(3, 4), alternate_sign=False, dtype=np.float32, binary=True
    )


def fit(texts: Sequence[str], concern: NDArray[np.int64], *, seed: int = 0) -> dict[str, LogisticRegression]:
    """Return the models of both looks by `PARTS`, fitted on normalised texts and 0/1 targets."""
    view = words().transform(texts)
    return {
        "screen": _logistic(seed).fit(view, concern),
        "closer": _logistic(seed).fit(_closer_view(view, texts, letters()), concern),
    }


class Screen:
    """Chooses passages.

    Parameters
    ----------
    models
        What `fit` returned.
    first
        Probability from which a passage gets the closer look.
    bound
        Probability from which a passage goes on.
    clear
        Probability under which a page needs no encoder.
    most
        How many passages of a page go on at the most, the strongest.
    """

    def __init__(
        self,
        models: dict[str, Any],
        *,
        first: float = FIRST,
        bound: float = BOUND,
        clear: float = CLEAR,
        most: int = MOST,
    ) -> None:
        self.models = models
        self.first = first
        self.bound = bound
        self.clear = clear
        self.most = most
        self._words = words()
        self._letters = letters()

    def score(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability that each normalised passage is how-to of concern, shape (n,)."""
        if not texts:
            return np.zeros(0)
        view = self._words.transform(texts)
        scores = np.asarray(self.models["screen"].predict_proba(view)[:, 1], np.float64)
        rows = [row for row, score in enumerate(scores) if score >= self.first]
        if rows:
            closer = _closer_view(view[rows], [texts[row] for row in rows], self._letters)
            scores[rows] = self.models["closer"].predict_proba(closer)[:, 1]
        return scores

    def pick(self, scores: NDArray[np.float64]) -> list[int]:
        """Return the indices of one page's passages that go on, in reading order."""
        order = np.argsort(-scores, kind="stable")
        above = min(self.most, int((scores >= self.bound).sum()))
        count = above or int(bool(len(scores)) and scores.max() >= self.clear)
        return sorted(int(i) for i in order[:count])


def _closer_view(view: csr_matrix, texts: Sequence[str], vectoriser: HashingVectorizer) -> csr_matrix:
    """Return which words and letters the texts have, each view of length 1, and how often they name the subject."""
    present = view.copy()
    present.data[:] = 1.0
    named = csr_matrix((_MENTIONED * mentions(texts)).astype(np.float32))
    return hstack([normalize(present, copy=False), vectoriser.transform(texts), named], format="csr")


def _logistic(seed: int) -> LogisticRegression:
    return LogisticRegression(C=30.0, max_iter=2000, class_weight="balanced", random_state=seed)
