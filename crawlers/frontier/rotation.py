"""Whose turn it is: hosts take turns, each with no more requests under way and fetched than it may have."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from crawlers.frontier.rows import Kind, Row


class _Host:
    __slots__ = ("active", "buffer", "name", "queued", "ready", "spent")

    def __init__(self, name: str) -> None:
        self.name = name
        self.buffer: deque[Row] = deque()
        self.queued = 0
        self.active = 0
        self.spent = 0
        self.ready = False


class Rotation:
    """Pure bookkeeping in memory; rows come through ``load``.

    Parameters
    ----------
    load
        ``load(host, limit)`` takes rows of a host out of the queue.
    per_host
        Most rows of a host under way at once.
    host_budget, budget
        Most pages of a host, and in all; sources are free.
    buffer
        How many rows of a host are held in memory.
    """

    def __init__(
        self, load: Callable[[str, int], list[Row]], *, per_host: int, host_budget: int, budget: int, buffer: int = 16
    ) -> None:
        self._load = load
        self._per_host = per_host
        self._host_budget = host_budget
        self._budget = budget
        self._buffer = buffer
        self._hosts: dict[str, _Host] = {}
        self._ready: deque[_Host] = deque()
        self.spent = 0
        self.active = 0

    def add(self, host: str, count: int) -> None:
        """Note that ``count`` rows of ``host`` have been queued."""
        entry = self._entry(host)
        entry.queued += count
        self._offer(entry)

    def drop(self, host: str) -> None:
        """Note that one queued row of ``host`` has been taken by another way."""
        entry = self._entry(host)
        entry.queued = max(0, entry.queued - 1)

    def spend(self, host: str, count: int) -> None:
        """Count pages of ``host`` that were fetched by an earlier run, or by a redirect."""
        self._entry(host).spent += count
        self.spent += count

    def take(self) -> Row | None:
        """Return the next row to fetch, which is then under way, or None where none may be fetched now."""
        for _ in range(len(self._ready)):
            entry = self._ready.popleft()
            entry.ready = False
            if not self._may(entry):
                continue
            row = self._next(entry)
            if row is None:
                continue
            entry.active += 1
            self.active += 1
            if row.kind is Kind.PAGE:
                self.spend(entry.name, 1)
            self._offer(entry)
            return row
        return None

    def release(self, host: str) -> None:
        """Note that a row of ``host`` is not under way any more; the next may go."""
        entry = self._entry(host)
        entry.active -= 1
        self.active -= 1
        self._offer(entry)

    def refund(self, host: str) -> None:
        """Give back a page of ``host`` that was taken but not fetched (refused, or a redirect)."""
        entry = self._entry(host)
        entry.spent -= 1
        self.spent -= 1
        self._offer(entry)
        if self.spent == self._budget - 1:
            for other in self._hosts.values():
                self._offer(other)

    def is_spent(self, host: str) -> bool:
        """Return whether ``host`` has had all the pages that one host may have."""
        return self._entry(host).spent >= self._host_budget

    @property
    def exhausted(self) -> bool:
        """Whether the crawl has had all its pages."""
        return self.spent >= self._budget

    def has_next(self) -> bool:
        """Return whether some row may be fetched, now or when another has ended."""
        return any(self._within(entry) for entry in self._ready)

    @property
    def hosts(self) -> int:
        """How many hosts are known."""
        return len(self._hosts)

    @property
    def queued(self) -> int:
        """How many rows wait, in the table and in memory."""
        return sum(entry.queued + len(entry.buffer) for entry in self._hosts.values())

    def _entry(self, host: str) -> _Host:
        entry = self._hosts.get(host)
        if entry is None:
            entry = self._hosts[host] = _Host(host)
        return entry

    def _offer(self, entry: _Host) -> None:
        if not entry.ready and entry.active < self._per_host and self._within(entry):
            entry.ready = True
            self._ready.append(entry)

    def _may(self, entry: _Host) -> bool:
        return entry.active < self._per_host and self._within(entry)

    def _within(self, entry: _Host) -> bool:
        if not entry.queued and not entry.buffer:
            return False
        return entry.spent < self._host_budget and self.spent < self._budget

    def _next(self, entry: _Host) -> Row | None:
        if not entry.buffer:
            rows = self._load(entry.name, self._buffer)
            entry.buffer.extend(rows)
            entry.queued = entry.queued - len(rows) if rows else 0
        return entry.buffer.popleft() if entry.buffer else None
