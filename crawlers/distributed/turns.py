"""Politeness right before the wire: one request to a host at a time in this process, with the delay between them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_KEPT_HOSTS = 10_000
_KEPT_S = 600.0


class _Host:
    __slots__ = ("answered_at", "lock")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.answered_at = float("-inf")


class HostTurns:
    """Turns at hosts, shared by all crawls of a spider: each crawl's own engine keeps its delay, this keeps theirs.

    Parameters
    ----------
    clock
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str, delay_s: float, not_before_s: float) -> AsyncIterator[None]:
        """Wait until nobody else is at ``host``, ``delay_s`` have passed since its last answer, and it is time.

        From answer to request: measured from request to request, a slow connection would let the host see less.
        """
        entry = self._hosts.get(host)
        if entry is None:
            self._prune()
            entry = self._hosts[host] = _Host()
        async with entry.lock:
            due_s = max(entry.answered_at + delay_s, not_before_s)
            while (wait_s := due_s - self._clock()) > 0:  # a timer of uvloop may be a millisecond early
                await asyncio.sleep(wait_s)
            try:
                yield
            finally:
                entry.answered_at = self._clock()

    def _prune(self) -> None:
        if len(self._hosts) < _KEPT_HOSTS:
            return
        long_ago = self._clock() - _KEPT_S
        for host, entry in list(self._hosts.items()):
            if not entry.lock.locked() and entry.answered_at < long_ago:
                del self._hosts[host]
