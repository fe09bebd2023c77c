"""Whose turn it is in a focused crawl: the host whose best link is expected to score highest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from heapq import heappop, heappush, nsmallest
from itertools import count
from typing import Protocol

from crawlers.frontier.budgets import HostBudgets, HostShare
from crawlers.frontier.rows import Row

_HELD = 64
"""Links of a host that are held in memory, at least and if it has so many; the others wait in the table."""
_TRIES = 4
_MARGIN = 0.02


class Table(Protocol):
    """Where queued links are kept with their priorities."""

    def best(self, host: str, limit: int) -> list[tuple[int, float]]:
        """Return (row number, priority) of the best queued links of a host, best first."""

    def worth(self, number: int, priority: float) -> float | None:
        """Return what a link is worth by now, which is its priority then; None where it is not queued with this one."""

    def begin(self, number: int) -> Row:
        """Take a link out of the queue."""


class _Host(HostShare):
    __slots__ = ("floor", "heap", "offered")

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.heap: list[tuple[float, int]] = []
        self.floor = float("inf")
        """What is queued above this priority is in the heap; the rest is only in the table."""
        self.offered = float("inf")
        """Negative priority under which it stands among the hosts; infinite where it does not."""


class BestFirst(HostBudgets[_Host]):
    """Bookkeeping in memory, as `crawlers.frontier.rotation.Rotation`, for links with an expectation.

    Links of equal priority are taken in the order in which they were found, hosts of equal priority in turn.

    Parameters
    ----------
    table
        Has all links; only some of each host are held here.
    per_host, host_budget, budget
        As for `HostBudgets`.
    explore_every
        Each so-manieth link is the best of the host that has waited longest, whatever it is worth; 0 for none.
    """

    def __init__(self, table: Table, *, per_host: int, host_budget: int, budget: int, explore_every: int = 0) -> None:
        super().__init__(per_host=per_host, host_budget=host_budget, budget=budget)
        self._table = table
        self._explore_every = explore_every
        self._heads: list[tuple[float, int, _Host]] = []
        self._turns: OrderedDict[str, None] = OrderedDict()
        self._order = count()
        self._taken = 0
        self.least = float("-inf")
        """Links that are worth less are not taken."""

    def add(self, host: str, count: int) -> None:
        """Note that ``count`` rows of ``host`` are queued in the table."""
        entry = self._entry(host)
        entry.queued += count
        entry.floor = float("inf") if not entry.heap else entry.floor
        self._offer(entry)

    def offer(self, host: str, links: Iterable[tuple[int, float]], *, new: bool) -> None:
        """Note links of ``host`` as (row number, priority): new ones, or ones whose priority has changed."""
        entry = self._entry(host)
        if new and not entry.queued:
            entry.heap, entry.floor = [], float("-inf")
        for number, priority in links:
            entry.queued += new
            if priority > entry.floor:
                heappush(entry.heap, (-priority, number))
        if len(entry.heap) > 4 * _HELD:
            entry.heap = nsmallest(2 * _HELD, entry.heap)
            entry.floor = max(entry.floor, -entry.heap[-1][0])
        self._offer(entry)

    def take(self) -> Row | None:
        """Return the next row to fetch, which is then under way, or None where none may be fetched now."""
        self._taken += 1
        if self._explore_every and self._taken % self._explore_every == 0:
            row = self._take_by_turn()
            if row is not None:
                return row
        tries = _TRIES
        while self._heads and -self._heads[0][0] >= self.least:
            key, _, entry = heappop(self._heads)
            if entry.offered != key:
                continue
            entry.offered = float("inf")
            if not self._may(entry):
                continue
            if not entry.heap or entry.heap[0][0] != key:
                self._offer(entry)
                continue
            number = entry.heap[0][1]
            worth = self._table.worth(number, -key)
            heappop(entry.heap)
            if worth is None or (tries and worth < -key - _MARGIN and worth < self._second(entry)):
                if worth is not None:
                    tries -= 1
                    if worth > entry.floor:
                        heappush(entry.heap, (-worth, number))
                self._offer(entry)
                continue
            return self._begin(entry, number)
        return None

    def has_next(self) -> bool:
        """Return whether some row may be fetched, now or when another has ended."""
        while self._heads and -self._heads[0][0] >= self.least:
            key, _, entry = self._heads[0]
            if entry.offered == key and self._within(entry) and entry.heap and entry.heap[0][0] == key:
                return True
            heappop(self._heads)
            if entry.offered == key:
                entry.offered = float("inf")
                self._offer(entry)
        return False

    def _take_by_turn(self) -> Row | None:
        for _ in range(min(len(self._turns), 2 * _HELD)):
            name, _ = self._turns.popitem(last=False)
            self._turns[name] = None
            entry = self._hosts[name]
            while self._may(entry) and self._fill(entry):
                key, number = heappop(entry.heap)
                if self._table.worth(number, -key) is not None:
                    return self._begin(entry, number)
        return None

    def _begin(self, entry: _Host, number: int) -> Row:
        row = self._table.begin(number)
        entry.queued -= 1
        return self._begun(entry, row)

    def _second(self, entry: _Host) -> float:
        """Return the priority of the best link but the one that has just been taken off the heap of ``entry``."""
        heads = [-self._heads[0][0]] if self._heads else []
        return max([*heads, -entry.heap[0][0] if entry.heap else entry.floor])

    def _made(self, name: str) -> _Host:
        self._turns[name] = None
        return _Host(name)

    def _offer(self, entry: _Host) -> None:
        if not self._may(entry) or not self._fill(entry):
            return
        key = entry.heap[0][0]
        if key < entry.offered:
            entry.offered = key
            heappush(self._heads, (key, next(self._order), entry))

    def _fill(self, entry: _Host) -> bool:
        """Bring links of a host into memory if none is there; return whether there is one."""
        if not entry.heap and entry.queued:
            found = self._table.best(entry.name, _HELD)
            entry.heap = [(-priority, number) for number, priority in found]
            entry.floor = found[-1][1] if len(found) == _HELD else float("-inf")
            if not found:
                entry.queued = 0
        return bool(entry.heap)
