"""What a host may have, whoever's turn it is: so many requests under way at once, and so many pages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from crawlers.frontier.rows import Kind, Row


class HostShare:
    """What one host has: rows that wait in the table, rows under way, pages fetched."""

    __slots__ = ("active", "name", "queued", "spent")

    def __init__(self, name: str) -> None:
        self.name = name
        self.queued = 0
        self.active = 0
        self.spent = 0

    @property
    def waiting(self) -> int:
        """How many rows wait, wherever."""
        return self.queued


Share = TypeVar("Share", bound=HostShare)


class HostBudgets(ABC, Generic[Share]):
    """Bookkeeping of hosts in memory; who is next is decided by those who extend it.

    Parameters
    ----------
    per_host
        Most rows of a host under way at once.
    host_budget, budget
        Most pages of a host, and in all; sources are free.
    """

    def __init__(self, *, per_host: int, host_budget: int, budget: int) -> None:
        self._per_host = per_host
        self._host_budget = host_budget
        self._budget = budget
        self._hosts: dict[str, Share] = {}
        self.spent = 0
        self.active = 0

    @abstractmethod
    def add(self, host: str, count: int) -> None:
        """Note that ``count`` rows of ``host`` are queued in the table."""

    @abstractmethod
    def take(self) -> Row | None:
        """Return the next row to fetch, which is then under way, or None where none may be fetched now."""

    @abstractmethod
    def has_next(self) -> bool:
        """Return whether some row may be fetched, now or when another has ended."""

    @abstractmethod
    def _made(self, name: str) -> Share:
        """Return the share of a host that was not known."""

    @abstractmethod
    def _offer(self, entry: Share) -> None:
        """Note that a host may have become one to take from."""

    def drop(self, host: str) -> None:
        """Note that one queued row of ``host`` has been taken by another way."""
        entry = self._entry(host)
        entry.queued = max(0, entry.queued - 1)

    def spend(self, host: str, count: int) -> None:
        """Count pages of ``host`` that were fetched by an earlier run, or by a redirect."""
        self._entry(host).spent += count
        self.spent += count

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

    @property
    def hosts(self) -> int:
        """How many hosts are known."""
        return len(self._hosts)

    @property
    def queued(self) -> int:
        """How many rows wait, in the table and in memory."""
        return sum(entry.waiting for entry in self._hosts.values())

    def _entry(self, host: str) -> Share:
        entry = self._hosts.get(host)
        if entry is None:
            entry = self._hosts[host] = self._made(host)
        return entry

    def _begun(self, entry: Share, row: Row) -> Row:
        """Note that a row of a host is under way."""
        entry.active += 1
        self.active += 1
        if row.kind is Kind.PAGE:
            self.spend(entry.name, 1)
        self._offer(entry)
        return row

    def _may(self, entry: Share) -> bool:
        return entry.active < self._per_host and self._within(entry)

    def _within(self, entry: Share) -> bool:
        return entry.waiting > 0 and entry.spent < self._host_budget and self.spent < self._budget
