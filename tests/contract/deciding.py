"""What every store promises about decisions and editions."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from storage.port import ItemQuery, Store
from tests.contract.samples import Clock, judged, label, later, near, pid, unflagged, verdict
from tests.contract.writing import row


class DecidingContract:
    def test_decision_joins_its_item_and_its_row(self, store: Store) -> None:
        store.upsert([judged()])
        report = store.record_decisions([label()])
        assert (report.written, report.unchanged, report.rejected) == ((pid("one"),), (), ())
        item = store.item(pid("one"))
        assert item is not None
        assert (item.decision, item.decided_at) == ("of_concern", later())
        (record,) = item.decisions
        for name in record.__struct_fields__:
            assert getattr(record, name) == getattr(label(), name), name
        assert (row(store, "one").reviewed_at, row(store, "one").decision) == (later(), "of_concern")

    def test_decision_on_a_page_that_is_no_item_is_kept_and_noted_in_its_row(self, store: Store) -> None:
        store.upsert([near()])
        assert store.record_decisions([label(decision="unsure")]).written == (pid("one"),)
        assert (row(store, "one").reviewed_at, row(store, "one").decision) == (later(), "unsure")
        report = store.record_decisions([label(id="label-last", at=later(hours=1), decision="lawful")])
        assert (report.written, report.rejected) == ((pid("one"),), ())
        assert (row(store, "one").reviewed_at, row(store, "one").decision) == (later(hours=1), "lawful")
        assert [one.id for one in store.decisions()] == ["label-one", "label-last"]
        assert store.item(pid("one")) is None
        store.upsert([judged(fetched_at=later(hours=2), at=later(hours=2))])
        item = store.item(pid("one"))
        assert item is not None
        assert (item.decision, len(item.decisions)) == ("lawful", 2)

    def test_decision_before_its_row_is_noted_when_the_row_arrives(self, store: Store) -> None:
        store.record_decisions([label()])
        store.upsert([near()])
        assert (row(store, "one").reviewed_at, row(store, "one").decision) == (later(), "of_concern")

    def test_same_decision_again_changes_nothing(self, store: Store) -> None:
        store.upsert([judged()])
        store.record_decisions([label()])
        before = store.item(pid("one"))
        report = store.record_decisions([label(), label()])
        assert (report.written, report.unchanged) == ((), (pid("one"), pid("one")))
        assert store.item(pid("one")) == before
        assert len(list(store.decisions())) == 1

    def test_last_decision_counts_whatever_order_they_arrive_in(self, store: Store) -> None:
        store.upsert([judged()])
        last = label(id="label-last", at=later(hours=2), decision="lawful")
        first = label(id="label-first", at=later(hours=1), decision="unsure")
        store.record_decisions([last])
        store.record_decisions([first, label()])
        item = store.item(pid("one"))
        assert item is not None
        assert [record.decision for record in item.decisions] == ["of_concern", "unsure", "lawful"]
        assert (item.decision, item.decided_at) == ("lawful", later(hours=2))
        assert row(store, "one").reviewed_at == later(hours=2)

    def test_decision_before_its_item_joins_when_the_item_arrives(self, store: Store) -> None:
        assert store.record_decisions([label()]).written == (pid("one"),)
        assert store.item(pid("one")) is None
        assert [one.id for one in store.decisions()] == ["label-one"]
        store.upsert([judged()])
        item = store.item(pid("one"))
        assert item is not None
        assert item.decision == "of_concern"
        assert row(store, "one").reviewed_at == later()
        store.refresh()
        assert store.search(ItemQuery(decision=("of_concern",))).total == 1

    def test_machine_never_overwrites_a_decision(self, store: Store) -> None:
        store.upsert([judged()])
        store.record_decisions([label()])
        store.upsert([judged(fetched_at=later(hours=1), at=later(hours=1), says=verdict(score=0.6))])
        item = store.item(pid("one"))
        assert item is not None
        assert (item.verdict.score, item.decision, len(item.decisions)) == (0.6, "of_concern", 1)
        assert row(store, "one").reviewed_at == later()

    def test_bad_decision_is_rejected_and_its_batch_written(self, store: Store) -> None:
        store.upsert([judged()])
        bad = label("bad", reason="half a character \ud83d")
        report = store.record_decisions([bad, label()])
        assert report.written == (pid("one"),)
        assert [page_id for page_id, _ in report.rejected] == [pid("bad")]
        assert [one.id for one in store.decisions()] == ["label-one"]

    def test_decisions_come_oldest_first_as_they_were_recorded(self, store: Store) -> None:
        labels = [label(f"page-{n}", at=later(minutes=n, microseconds=n)) for n in range(7)]
        store.record_decisions([labels[n] for n in (3, 0, 6, 1, 5, 2, 4)])
        assert list(store.decisions()) == labels
        assert list(store.decisions(since=labels[4].at)) == labels[4:]
        assert list(store.decisions(since=later(hours=9))) == []

    def test_many_decisions_come_in_order_without_gaps(self, store: Store) -> None:
        labels = [label(f"page-{n}", id=f"label-{n:04}", at=later(minutes=n // 3)) for n in range(1_203)]
        store.record_decisions(labels)
        assert [one.id for one in store.decisions()] == [one.id for one in labels]

    def test_decisions_may_be_recorded_while_they_are_read(self, store: Store) -> None:
        store.record_decisions([label(f"page-{n}") for n in range(3)])
        for one in store.decisions():
            store.record_decisions([label(f"again-{one.id}", at=later(days=-1))])
        assert len(list(store.decisions())) == 6

    def test_decisions_by_two_at_once_are_all_kept(self, store: Store, another_store: Callable[[], Store]) -> None:
        store.upsert([judged()])
        writers = [store, another_store()]
        labels = [label(id=f"label-{n}", at=later(minutes=n)) for n in range(16)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda n: writers[n % 2].record_decisions([labels[n]]), range(16)))
        item = store.item(pid("one"))
        assert item is not None
        assert [record.id for record in item.decisions] == [one.id for one in labels]

    def test_decision_and_item_at_once_always_meet(self, store: Store, another_store: Callable[[], Store]) -> None:
        names = [f"page-{n}" for n in range(12)]
        other = another_store()
        with ThreadPoolExecutor(2) as pool:
            for name in names:
                both = [
                    pool.submit(store.upsert, [judged(name)]),
                    pool.submit(other.record_decisions, [label(name)]),
                ]
                [one.result() for one in both]
        found = [store.item(pid(name)) for name in names]
        assert [item.decision if item else None for item in found] == ["of_concern"] * 12
        assert [row(store, name).reviewed_at for name in names] == [later()] * 12

    def test_edition_is_noted_in_item_and_row_once(self, store: Store) -> None:
        store.upsert([judged("one"), judged("two"), unflagged("three")])
        ids = [pid("one"), pid("three")]
        store.mark_reported(ids, "2026-11", later())
        store.mark_reported(ids, "2026-11", later(hours=3))
        item = store.item(pid("one"))
        assert item is not None
        assert item.reported_in == ("2026-11",)
        assert [row(store, name).reported_at for name in ("one", "two", "three")] == [later(), None, later()]

    def test_editions_are_in_the_order_of_their_notes(self, store: Store) -> None:
        store.upsert([judged()])
        store.mark_reported([pid("one")], "second half", later())
        store.mark_reported([pid("one")], "a later one", later(hours=3))
        item = store.item(pid("one"))
        assert item is not None
        assert item.reported_in == ("second half", "a later one")
        assert row(store, "one").reported_at == later(hours=3)

    def test_editions_survive_a_newer_fetch(self, store: Store, clock: Clock) -> None:
        store.upsert([judged()])
        store.mark_reported([pid("one")], "2026-11", later())
        store.upsert([judged(fetched_at=later(hours=1), at=later(hours=1))])
        item = store.item(pid("one"))
        assert item is not None
        assert item.reported_in == ("2026-11",)
        assert row(store, "one").reported_at == later()

    def test_edition_of_an_unknown_page_is_ignored(self, store: Store) -> None:
        store.mark_reported([pid("nothing")], "2026-11", later())
        assert store.item(pid("nothing")) is None
