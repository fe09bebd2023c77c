"""The cheap screen: which passages of a page deserve the encoder.

A hashing vectoriser on words (a Chinese character is a word) and a logistic regression, some 8,000 passages a
second. Every passage from `BOUND` on goes on; of a page without one only the strongest, and none at all where even
that stays under `CLEAR`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

BOUND = 0.3
CLEAR = 0.1
"""Of held-out pages of concern 0.4 % stay under it, of the harmless pages of the web more than a half."""
_TOKEN = r"[\u4e00-\u9fff]|[^\W_]+"  # noqa: S105


def vectoriser() -> HashingVectorizer:
    """Return the stateless word view: unigrams and bigrams, 2^18 columns."""
    return HashingVectorizer(
        n_features=2**18, token_pattern=_TOKEN, ngram_range=(1, 2), alternate_sign=False, dtype=np.float32
    )


def fit(texts: Sequence[str], concern: NDArray[np.int64], *, seed: int = 0) -> LogisticRegression:
    """Return the screen's model, fitted on normalised texts and 0/1 targets."""
    model = LogisticRegression(C=30.0, max_iter=2000, class_weight="balanced", random_state=seed)
    return model.fit(vectoriser().transform(texts), concern)


class Screen:
    """Chooses passages.

    Parameters
    ----------
    model
        What `fit` returned.
    bound
        Probability from which a passage goes on.
    clear
        Probability under which a page needs no encoder.
    most
        How many passages of a page go on at the most, the strongest.
    """

    def __init__(self, model: Any, *, bound: float = BOUND, clear: float = CLEAR, most: int = 48) -> None:
        self.model = model
        self.bound = bound
        self.clear = clear
        self.most = most
        self._vectoriser = vectoriser()

    def score(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability that each normalised passage is how-to of concern, shape (n,)."""
        if not texts:
            return np.zeros(0)
        return np.asarray(self.model.predict_proba(self._vectoriser.transform(texts))[:, 1], np.float64)

    def pick(self, scores: NDArray[np.float64]) -> list[int]:
        """Return the indices of one page's passages that go on, in reading order."""
        order = np.argsort(-scores, kind="stable")
        above = min(self.most, int((scores >= self.bound).sum()))
        count = above or int(bool(len(scores)) and scores.max() >= self.clear)
        return sorted(int(i) for i in order[:count])
