"""The cheap screen: which passages of a page deserve the encoder.

A hashing vectoriser on words (a Chinese character is a word) and a logistic regression, some 8,000 passages a
second. Every passage from `BOUND` on goes on; of a page without one only the `LEAST` strongest do, so that the
verdict can say what the page reads as.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

BOUND = 0.3
LEAST = 1
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
    least, most
        How many passages of a page go on at least (the strongest) and at the most.
    """

    def __init__(self, model: Any, *, bound: float = BOUND, least: int = LEAST, most: int = 48) -> None:
        self.model = model
        self.bound = bound
        self.least = least
        self.most = most
        self._vectoriser = vectoriser()

    def keep(self, texts: Sequence[str]) -> tuple[list[int], bool]:
        """Return the indices of the passages that go on, in reading order, and whether none reaches the bound."""
        scores = self.model.predict_proba(self._vectoriser.transform(texts))[:, 1]
        order = np.argsort(-scores, kind="stable")
        above = int((scores >= self.bound).sum())
        count = min(self.most, max(self.least, above))
        return sorted(int(i) for i in order[:count]), above == 0
