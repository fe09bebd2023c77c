"""The index stage: ``pages.judged`` → store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from consumers.dead_letters import dead_page, just_before
from consumers.stage import Handled, Record, Settled
from consumers.store_writes import write
from events import PageJudged, Topics, UrlEnded
from storage.port import UpsertReport


class PageStore(Protocol):
    """What this stage asks of a `storage.port.Store`."""

    def upsert(self, judged: Sequence[PageJudged | UrlEnded]) -> UpsertReport:
        """Write ledger rows and items; durable on return."""


class IndexStage:
    """Writes items and ledger; what the store rejects goes to the dead letters, and the ledger says so.

    Parameters
    ----------
    store
        Written to.
    topics
        Names.
    slice_size
        Events in one call of the store.
    """

    name: str = "index"
    accepts: tuple[type, ...] = (PageJudged, UrlEnded)
    writes: tuple[str, ...] = ()

    def __init__(self, store: PageStore, topics: Topics, *, slice_size: int = 500) -> None:
        self.topics: tuple[str, ...] = (topics.pages_judged,)
        self.slice_size = slice_size
        self._store = store

    def handle(self, records: Sequence[Record]) -> Handled:
        """Write the records; durable on return, no outputs."""
        rejected = write(records, self._store.upsert)
        lost = [
            Settled(one.record, dead_page(one.record.event, one.message, just_before(one.record.event)))
            for one in rejected
            if _is_page(one.record)
        ]
        if lost:
            self._store.upsert([one.event for one in lost])
        refused = {id(one.record) for one in rejected}
        written = [Settled(record, record.event) for record in records if id(record) not in refused]
        return Handled(rejected=rejected, settled=[*written, *lost])


def _is_page(record: Record) -> bool:
    return isinstance(record.event, PageJudged)
