"""Decisions that were recorded here and may not have reached the store yet."""

from __future__ import annotations

import threading
from collections import OrderedDict

import msgspec

from events import LabelRecorded
from storage.port import DecisionRecord, Item, LedgerRow


class Recent:
    """Remembers the latest decision made here for each page, so that what was decided never looks open again.

    On Kafka a decision takes a moment to reach the store; this bridges it, within one process.

    Parameters
    ----------
    most
        How many pages to remember.
    """

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._labels: OrderedDict[str, LabelRecorded] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, label: LabelRecorded) -> None:
        """Remember a decision."""
        with self._lock:
            self._labels[label.page_id] = label
            self._labels.move_to_end(label.page_id)
            while len(self._labels) > self._most:
                self._labels.popitem(last=False)

    def over(self, item: Item) -> Item:
        """Return the item as it will be once the store has caught up."""
        label = self._labels.get(item.page_id)
        if label is None or any(known.id == label.id or known.at > label.at for known in item.decisions):
            return item
        record = DecisionRecord(
            id=label.id,
            at=label.at,
            decision=label.decision,
            analyst=label.analyst,
            reason=label.reason,
            subjects=label.subjects,
            techniques=label.techniques,
            context=label.context,
        )
        return msgspec.structs.replace(
            item, decision=label.decision, decided_at=label.at, decisions=(*item.decisions, record)
        )

    def over_row(self, row: LedgerRow) -> LedgerRow:
        """Return the ledger row as it will be once the store has caught up."""
        label = self._labels.get(row.page_id)
        if label is None or (row.reviewed_at is not None and row.reviewed_at >= label.at):
            return row
        return msgspec.structs.replace(row, reviewed_at=label.at, decision=label.decision)
