"""Writing a batch to the store, and finding the records that it rejects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from consumers.stage import Record, Rejection
from storage.port import UpsertReport

ERROR = "StoreRejectedDocument"


def write(records: Sequence[Record], call: Callable[[Sequence[Any]], UpsertReport]) -> list[Rejection]:
    """Write the events of ``records`` in one call and return those that the store will never take.

    A report names pages. Where a rejected page has several records in the batch, each of them is written again on its
    own, which changes nothing for those that are already there, to see which of them it was.
    """
    report = call([record.event for record in records])
    if not report.rejected:
        return []
    reasons = dict(report.rejected)
    times = Counter(record.event.page_id for record in records)
    rejections = []
    for record in records:
        page_id = record.event.page_id
        if page_id not in reasons:
            continue
        reason: str | None = reasons[page_id]
        if times[page_id] > 1:
            reason = dict(call([record.event]).rejected).get(page_id)
        if reason is not None:
            rejections.append(Rejection(record, ERROR, reason))
    return rejections
