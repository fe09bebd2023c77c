"""How often judged pages link to the URLs of a frontier that are still queued, in memory.

Each verdict counts for all links of its page, some thirty, most of which wait for long (ADR 0014). A URL's counts are
written down when it is repriced or taken, and all when the frontier is closed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import NamedTuple

_TAKEN = 0xFFFF
_MOST = _TAKEN - 1
_FARTHEST = 0xFF


class Cited(NamedTuple):
    """Sum of the scores of the judged pages that link to a URL, how many they are, and its distance."""

    cited: float = 0.0
    citing: int = 0
    distance: int = 0


class Citations:
    """Counts by row number."""

    def __init__(self) -> None:
        self._cited = array("d")
        self._citing = array("H")
        self._distance = array("B")

    def queue(self, number: int, counts: Cited) -> None:
        """Note a queued URL."""
        missing = number + 1 - len(self._citing)
        if missing > 0:
            self._cited.extend(array("d", bytes(8 * missing)))
            self._citing.extend([_TAKEN] * missing)
            self._distance.extend(bytes(missing))
        self._cited[number] = counts.cited
        self._citing[number] = min(counts.citing, _MOST)
        self._distance[number] = min(counts.distance, _FARTHEST)

    def cite(self, number: int, score: float, distance: int) -> int:
        """Count one more page that links to a URL; return how many they are now, 0 where it is not queued."""
        if not self.is_queued(number):
            return 0
        if self._citing[number] < _MOST:
            self._citing[number] += 1
            self._cited[number] += score
        if distance < self._distance[number]:
            self._distance[number] = distance
        return self._citing[number]

    def is_queued(self, number: int) -> bool:
        """Return whether a URL is queued, as far as is noted here."""
        return number < len(self._citing) and self._citing[number] != _TAKEN

    def of(self, number: int) -> Cited:
        """Return the counts of a queued URL."""
        return Cited(self._cited[number], self._citing[number], self._distance[number])

    def take(self, number: int) -> Cited:
        """Return the counts of a URL, which is queued no longer."""
        if not self.is_queued(number):
            return Cited()
        counts = self.of(number)
        self._citing[number] = _TAKEN
        return counts

    def cited(self) -> Iterator[tuple[int, Cited]]:
        """Yield the queued URLs that some page links to, with their row numbers."""
        for number, citing in enumerate(self._citing):
            if citing not in (0, _TAKEN):
                yield number, self.of(number)
