"""The label stage: ``labels.recorded`` → store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from consumers.stage import Handled, Record
from consumers.store_writes import write
from events import LabelRecorded, Topics
from storage.port import UpsertReport


class DecisionStore(Protocol):
    """What this stage asks of a `storage.port.Store`."""

    def record_decisions(self, labels: Sequence[LabelRecorded]) -> UpsertReport:
        """Append decisions to their items; durable on return."""


class LabelStage:
    """Writes the analysts' decisions; what the store rejects goes to the dead letters.

    Parameters
    ----------
    store
        Written to.
    topics
        Names.
    slice_size
        Decisions in one call of the store.
    """

    name: str = "label"
    accepts: tuple[type, ...] = (LabelRecorded,)
    writes: tuple[str, ...] = ()

    def __init__(self, store: DecisionStore, topics: Topics, *, slice_size: int = 500) -> None:
        self.topics: tuple[str, ...] = (topics.labels_recorded,)
        self.slice_size = slice_size
        self._store = store

    def handle(self, records: Sequence[Record]) -> Handled:
        """Write the records; durable on return, no outputs."""
        return Handled(rejected=write(records, self._store.record_decisions))
