"""The training passages as a radial kernel sees them, kept once for all heads that use it.

A support vector machine with an RBF kernel needs its support vectors at run time. All heads learn from the same
passages, so the passages' embeddings are stored once, and a head is one weight a passage and an intercept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

from classifier.encoders import Embeddings

Floats = NDArray[np.float64]

GAMMA = 2.0
"""Of the kernel exp(-gamma * squared distance); on unit vectors 1 sees too far: on kinds of pages never trained on, a
head must fall back to its intercept."""
PENALTY = 5.0
"""C of the support vector machines."""
_ROWS = 512


def kernel(left: Embeddings | Floats, right: Embeddings | Floats) -> Floats:
    """Return the radial kernel of unit vectors (n, dim) and (m, dim), shape (n, m), in double precision."""
    return Memory(right).kernel(left)


class Memory:
    """Embeddings of the training passages, float of shape (n, dim)."""

    def __init__(self, embeddings: Embeddings | Floats) -> None:
        self._embeddings = np.asarray(embeddings, np.float64)
        self._squares = (self._embeddings**2).sum(axis=1)

    def __len__(self) -> int:
        return len(self._embeddings)

    def kernel(self, embeddings: Embeddings | Floats) -> Floats:
        """Return the radial kernel of unit vectors (m, dim) with the training passages, shape (m, n)."""
        left = np.asarray(embeddings, np.float64)
        squared = (left**2).sum(axis=1)[:, None] + self._squares[None, :] - 2 * left @ self._embeddings.T
        return np.asarray(np.exp(-GAMMA * np.maximum(squared, 0.0)))

    def nearest(self, embeddings: Embeddings | Floats, most: int) -> list[list[tuple[int, float]]]:
        """Return, for each unit vector (m, dim), the rows that it resembles most and the cosines, nearest first."""
        cosines = np.clip(np.asarray(embeddings, np.float64) @ self._embeddings.T, 0.0, 1.0)
        nearest = np.argpartition(-cosines, min(most, cosines.shape[1]) - 1, axis=1)[:, :most]
        return [
            sorted(((int(row), float(own[row])) for row in rows), key=lambda one: (-one[1], one[0]))
            for own, rows in zip(cosines, nearest, strict=True)
        ]

    def decisions(self, embeddings: Embeddings | Floats, weights: Floats) -> Floats:
        """Return the decision functions of heads for embeddings (m, dim).

        Parameters
        ----------
        weights
            Shape (n + 1, heads): a weight a passage, then the intercept, as `fit` returns them.

        Returns
        -------
        array
            Shape (m, heads).
        """
        blocks = [self.kernel(part) @ weights[:-1] + weights[-1] for part in _blocks(embeddings)]
        return np.vstack(blocks) if blocks else np.zeros((0, weights.shape[1]))


def fit(gram: Floats, y: NDArray[np.int64], rows: Sequence[int] | NDArray[np.int64] | None = None) -> Floats:
    """Return the weights of a head, shape (n + 1,): fitted on some rows of a kernel matrix, zero elsewhere.

    Parameters
    ----------
    gram
        Kernel of all passages with one another, shape (n, n).
    y
        0/1 targets of the rows.
    rows
        Which passages to learn from; all unless given.
    """
    chosen = np.arange(len(gram)) if rows is None else np.asarray(rows)
    machine = SVC(kernel="precomputed", C=PENALTY, class_weight="balanced").fit(gram[np.ix_(chosen, chosen)], y)
    weights = np.zeros(len(gram) + 1)
    weights[chosen[machine.support_]] = machine.dual_coef_[0]
    weights[-1] = machine.intercept_[0]
    return weights


def _blocks(embeddings: Embeddings | Floats) -> Iterator[Embeddings | Floats]:
    for start in range(0, len(embeddings), _ROWS):
        yield embeddings[start : start + _ROWS]
