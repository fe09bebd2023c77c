"""The stages that write to a store, on one in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from consumers.index import IndexStage
from consumers.label import LabelStage
from events import LabelRecorded, PageJudged, Topics, UrlEnded
from storage.port import StoreUnavailableError, UpsertReport
from tests.contract.samples import ended, judged, label
from tests.unit.consumers.records import record


class MemoryStore:
    """Keeps events; rejects those whose id it was told."""

    def __init__(self, *rejected: str) -> None:
        self._rejected = rejected
        self.kept: list[Any] = []
        self.calls = 0
        self.available = True

    def upsert(self, judged: Sequence[PageJudged | UrlEnded]) -> UpsertReport:
        return self._write(judged)

    def record_decisions(self, labels: Sequence[LabelRecorded]) -> UpsertReport:
        return self._write(labels)

    def _write(self, events: Sequence[Any]) -> UpsertReport:
        self.calls += 1
        if not self.available:
            raise StoreUnavailableError("not now")
        refused = [one for one in events if one.id in self._rejected and not isinstance(one, UrlEnded)]
        known = {one.id for one in self.kept}
        self.kept.extend(one for one in events if one not in refused and one.id not in known)
        return UpsertReport(rejected=tuple((one.page_id, f"no place for {one.id}") for one in refused))


def test_batch_is_one_call() -> None:
    store = MemoryStore()
    events = [judged("one"), ended("two"), judged("three")]
    handled = IndexStage(store, Topics()).handle([record(event, i) for i, event in enumerate(events)])
    assert (store.kept, store.calls) == (events, 1)
    assert (handled.outputs, handled.rejected) == ([], [])


def test_rejected_page_is_a_dead_letter_and_the_others_are_written() -> None:
    store = MemoryStore(judged("two").id)
    records = [record(judged(name), i) for i, name in enumerate(("one", "two", "three"))]
    (rejection,) = IndexStage(store, Topics()).handle(records).rejected
    assert (rejection.record, rejection.message) == (records[1], f"no place for {judged('two').id}")
    assert [(one.page_id, getattr(one, "outcome", "judged")) for one in store.kept] == [
        (judged("one").page_id, "judged"),
        (judged("three").page_id, "judged"),
        (judged("two").page_id, "dead_letter"),
    ]


def test_rejection_of_one_version_of_a_page_spares_the_other() -> None:
    good, bad = judged("one", id="good"), judged("one", id="bad")
    store = MemoryStore("bad")
    records = [record(good, 0), record(bad, 1)]
    (rejection,) = IndexStage(store, Topics()).handle(records).rejected
    assert rejection.record is records[1]


def test_unavailable_store_is_not_hidden() -> None:
    store = MemoryStore()
    store.available = False
    with pytest.raises(StoreUnavailableError):
        IndexStage(store, Topics()).handle([record(judged())])
    with pytest.raises(StoreUnavailableError):
        LabelStage(store, Topics()).handle([record(label())])


def test_decisions_are_written_and_rejected_ones_are_dead_letters() -> None:
    store = MemoryStore(label("two").id)
    records = [record(label(name), i) for i, name in enumerate(("one", "two"))]
    (rejection,) = LabelStage(store, Topics()).handle(records).rejected
    assert rejection.record is records[1]
    assert store.kept == [label("one")]


def test_stages_read_their_topics() -> None:
    assert IndexStage(MemoryStore(), Topics("p")).topics == ("p.pages.judged",)
    assert LabelStage(MemoryStore(), Topics("p")).topics == ("p.labels.recorded",)
