"""Whose turn it is: hosts take turns, each with no more requests under way and fetched than it may have."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from crawlers.frontier.budgets import HostBudgets, HostShare
from crawlers.frontier.rows import Row


class _Host(HostShare):
    __slots__ = ("buffer", "ready")

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.buffer: deque[Row] = deque()
        self.ready = False

    @property
    def waiting(self) -> int:
        return self.queued + len(self.buffer)


class Rotation(HostBudgets[_Host]):
    """Pure bookkeeping in memory; rows come through ``load``.

    Parameters
    ----------
    load
        ``load(host, limit)`` takes rows of a host out of the queue.
    per_host, host_budget, budget
        As for `HostBudgets`.
    buffer
        How many rows of a host are held in memory.
    """

    def __init__(
        self, load: Callable[[str, int], list[Row]], *, per_host: int, host_budget: int, budget: int, buffer: int = 16
    ) -> None:
        super().__init__(per_host=per_host, host_budget=host_budget, budget=budget)
        self._load = load
        self._buffer = buffer
        self._ready: deque[_Host] = deque()

    def add(self, host: str, count: int) -> None:
        """Note that ``count`` rows of ``host`` are queued in the table."""
        entry = self._entry(host)
        entry.queued += count
        self._offer(entry)

    def take(self) -> Row | None:
        """Return the next row to fetch, which is then under way, or None where none may be fetched now."""
        for _ in range(len(self._ready)):
            entry = self._ready.popleft()
            entry.ready = False
            if not self._may(entry):
                continue
            row = self._next(entry)
            if row is not None:
                return self._begun(entry, row)
        return None

    def has_next(self) -> bool:
        """Return whether some row may be fetched, now or when another has ended."""
        return any(self._within(entry) for entry in self._ready)

    def _made(self, name: str) -> _Host:
        return _Host(name)

    def _offer(self, entry: _Host) -> None:
        if not entry.ready and self._may(entry):
            entry.ready = True
            self._ready.append(entry)

    def _next(self, entry: _Host) -> Row | None:
        if not entry.buffer:
            rows = self._load(entry.name, self._buffer)
            entry.buffer.extend(rows)
            entry.queued = entry.queued - len(rows) if rows else 0
        return entry.buffer.popleft() if entry.buffer else None
