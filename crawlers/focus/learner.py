"""How promising a link is: logistic regression, learnt one judged page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, log1p, sqrt
from operator import mul
from typing import NamedTuple

import numpy as np

from crawlers.focus.features import BITS

_BELIEF = (0.0, 0.3, 0.2, 0.2, 1.0, -0.2)
"""Weights of the constant and of `Standing` before anything is learnt: like leads to like."""
_RATE = 0.1
_START = 1e-2
_DENSE_RATE = 0.15
_FIRST_MEAN = 0.2
_CRAWL_PAGES, _HOST_PAGES, _FOLDER_PAGES = 4.0, 8.0, 1.0
"""So many pages the mean above counts for."""


class Standing(NamedTuple):
    """What is known of a link beside its words.

    ``near`` is the mean score of the judged pages that link to it, ``votes`` the sum; ``host`` and ``folder`` are the
    mean scores there; ``distance`` the pages since the last one that scored 0.5 or more.
    """

    near: float
    votes: float
    host: float
    folder: float
    distance: int


class LinkLearner:
    """Predicts the score of the page that a link leads to.

    Weights are those of hashed words and of `Standing`; steps are AdaGrad's (Duchi, Hazan and Singer, 2011), so that
    a rare word learns as fast as a common one. Targets are scores, not classes.
    """

    def __init__(self) -> None:
        self.seen = 0
        self._weights = np.zeros(1 << BITS, dtype=np.float32)
        self._squares = np.full(1 << BITS, _START, dtype=np.float32)
        self._dense = list(_BELIEF)
        self._dense_squares = [1.0] * len(_BELIEF)

    def expect(self, features: Sequence[bytes], standings: Sequence[Standing]) -> list[float]:
        """Return the expected scores of links, each in 0 … 1."""
        if not features:
            return []
        if len(features) == 1:
            at = np.frombuffer(features[0], dtype=np.uint32)
            return [_probability(float(self._weights[at].sum()) + self._known(standings[0]))]
        sizes = np.array([len(each) // 4 for each in features])
        words = self._weights[np.frombuffer(b"".join(features), dtype=np.uint32)]
        sums = np.zeros(len(features))
        filled = sizes > 0
        starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        if filled.any():
            sums[filled] = np.add.reduceat(words, starts[filled])
        return [_probability(total + self._known(each)) for total, each in zip(sums.tolist(), standings, strict=True)]

    def learn(self, features: bytes, standing: Standing, score: float, words: bytes = b"") -> None:
        """Take in the score of the page that a link led to, and the words by which the page calls itself."""
        known = self._known(standing)
        if features:
            slope = self._step(features, known, score)
            for at, value in enumerate(_inputs(standing)):
                self._dense_squares[at] += (slope * value) ** 2
                self._dense[at] -= _DENSE_RATE * slope * value / sqrt(self._dense_squares[at])
            self.seen += 1
        if words:
            self._step(words, known, score)

    def _known(self, standing: Standing) -> float:
        total: float = sum(map(mul, self._dense, _inputs(standing)))
        return total

    def _step(self, features: bytes, known: float, score: float) -> float:
        """Correct the weights of words; return by how much too high the expectation was."""
        at = np.frombuffer(features, dtype=np.uint32)
        slope = _probability(float(self._weights[at].sum()) + known) - score
        self._squares[at] += slope * slope
        self._weights[at] -= _RATE * slope / np.sqrt(self._squares[at])
        return slope


class _Sum:
    __slots__ = ("pages", "total", "under_way")

    def __init__(self) -> None:
        self.total = 0.0
        self.pages = 0
        self.under_way = 0

    def add(self, score: float) -> None:
        self.total += score
        self.pages += 1

    def mean(self, prior: float, weight: float) -> float:
        """Return the mean with a prior that counts ``weight`` pages, and one more for each that is under way."""
        prior_pages = weight + self.under_way
        return (self.total + prior_pages * prior) / (self.pages + prior_pages)


class History:
    """Mean scores of the judged pages of each host, and of each folder.

    While they are few they are drawn towards a prior: that of a host is the mean of the crawl, and that of a folder the
    mean of the first pages of folders, since later ones were chosen for what the first had shown.
    """

    def __init__(self) -> None:
        self._hosts: dict[str, _Sum] = {}
        self._folders: dict[bytes, _Sum] = {}
        self._crawl = _Sum()
        self._firsts = _Sum()

    @property
    def mean(self) -> float:
        """Mean score of the crawl."""
        return self._crawl.mean(_FIRST_MEAN, _CRAWL_PAGES)

    def begin(self, folder: bytes) -> None:
        """Note that a page of a folder is under way."""
        self._folders.setdefault(folder, _Sum()).under_way += 1

    def end(self, folder: bytes) -> None:
        """Note that a page of a folder is not under way any more."""
        self._folders[folder].under_way -= 1

    def add(self, host: str, folder: bytes, score: float) -> None:
        """Take in a judged page."""
        self._crawl.add(score)
        self._hosts.setdefault(host, _Sum()).add(score)
        if folder:
            entry = self._folders.setdefault(folder, _Sum())
            if not entry.pages:
                self._firsts.add(score)
            entry.add(score)

    def of(self, host: str, folder: bytes) -> tuple[float, float]:
        """Return the means of a host and of a folder in it."""
        first = self._firsts.mean(_FIRST_MEAN, _CRAWL_PAGES)
        entry, above = self._folders.get(folder), self._hosts.get(host)
        return (
            above.mean(self.mean, _HOST_PAGES) if above is not None else self.mean,
            entry.mean(first, _FOLDER_PAGES) if entry is not None else first,
        )


def _inputs(standing: Standing) -> tuple[float, ...]:
    return (
        1.0,
        _log_odds(standing.near),
        log1p(standing.votes),
        _log_odds(standing.host),
        _log_odds(standing.folder),
        min(standing.distance, 5) / 5,
    )


def _log_odds(share: float) -> float:
    kept = min(max(share, 0.02), 0.98)
    return log(kept / (1 - kept))


def _probability(value: float) -> float:
    return 1 / (1 + exp(-min(max(value, -30.0), 30.0)))
