"""How long a host is left alone that has said it is too busy (status 429 or 503; RFC 6585, 4 and RFC 9110, 10.2.3)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

BUSY = frozenset({429, 503})
TRIES = 3
"""So often a URL is asked for again that a busy host has turned away."""
MAX_PAUSE_S = 120.0
MAX_CRAWL_DELAY_S = 60.0
_MOST_IN_A_ROW = 6
_FIRST_PAUSE = 5.0
"""In delays between two requests: 5 s where the host is asked once a second."""


def retry_after_s(value: str, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, or None where it says nothing that can be read."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


class Manners:
    """Which hosts are to be left alone, and until when.

    A host's pause doubles each time it turns a request away, and ends with the first answer of another kind. A host
    that asks to be left for longer than `MAX_PAUSE_S`, or that turns away `_MOST_IN_A_ROW` requests in a row, is given
    up for this run.

    Parameters
    ----------
    delay_s
        Seconds between two requests to a host; pauses are measured in them.
    clock
        Returns seconds that only go forward.
    """

    def __init__(self, delay_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._first_s = _FIRST_PAUSE * delay_s
        self._clock = clock
        self._in_a_row: dict[str, int] = {}
        self._until: dict[str, float] = {}
        self._given_up: set[str] = set()

    def turned_away(self, host: str, asked_s: float | None) -> None:
        """Note that ``host`` was too busy, and how many seconds it asked for."""
        count = self._in_a_row[host] = self._in_a_row.get(host, 0) + 1
        if count >= _MOST_IN_A_ROW or (asked_s or 0.0) > MAX_PAUSE_S:
            self._given_up.add(host)
        pause = max(self._first_s * 2.0 ** (count - 1), asked_s or 0.0)
        self._until[host] = self._clock() + min(pause, MAX_PAUSE_S)

    def served(self, host: str) -> None:
        """Note that ``host`` has answered otherwise."""
        self._in_a_row.pop(host, None)

    def times(self, host: str) -> int:
        """Return how many requests in a row ``host`` has turned away."""
        return self._in_a_row.get(host, 0)

    def wait_s(self, host: str) -> float:
        """Return for how many more seconds ``host`` is to be left alone."""
        until = self._until.get(host)
        if until is None:
            return 0.0
        left = until - self._clock()
        if left <= 0:
            del self._until[host]
        return max(0.0, left)

    def has_given_up(self, host: str) -> bool:
        """Return whether ``host`` is not asked again in this run."""
        return host in self._given_up
