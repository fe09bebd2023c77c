"""What every store promises about writing items and ledger rows (`storage.port.Store.upsert`)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from events import OUTCOMES, PageJudged, content_id
from storage.port import ItemQuery, LedgerQuery, LedgerRow, Store
from tests.contract.samples import Clock, ended, judged, label, later, near, pid, unflagged, verdict


def row(store: Store, name: str) -> LedgerRow:
    store.refresh()
    page = store.ledger(LedgerQuery(page_id=(pid(name),)))
    assert page.total == 1
    return page.rows[0]


class WritingContract:
    def test_setup_twice_keeps_what_is_there(self, store: Store) -> None:
        store.upsert([judged()])
        store.setup()
        assert store.item(pid("one")) is not None

    def test_flagged_page_becomes_an_item_with_all_that_was_judged(self, store: Store) -> None:
        event = judged(parent_url="https://a.example/", depth=3, media_type="application/pdf", text_truncated=True)
        report = store.upsert([event])
        assert (report.written, report.unchanged, report.rejected) == ((event.page_id,), (), ())
        item = store.item(event.page_id)
        assert item is not None
        for name in set(item.__struct_fields__) & set(event.__struct_fields__):
            assert getattr(item, name) == getattr(event, name), name
        assert item.first_seen_at == event.fetched_at
        assert item.judged_at == event.at
        assert (item.decision, item.decided_at, item.decisions, item.reported_in) == (None, None, (), ())

    def test_times_keep_their_microseconds_and_are_aware(self, store: Store) -> None:
        at = later(microseconds=123_457)
        store.upsert([judged(fetched_at=at, at=at)])
        item = store.item(pid("one"))
        assert item is not None
        assert item.fetched_at == item.first_seen_at == item.judged_at == at
        assert item.fetched_at.utcoffset() is not None

    def test_no_item_for_a_page_nobody_knows(self, store: Store) -> None:
        assert store.item(pid("nothing")) is None

    def test_flagged_page_has_a_ledger_row_with_all_its_facts(self, store: Store, clock: Clock) -> None:
        event = judged(depth=2, parent_url="https://a.example/")
        store.upsert([event])
        assert row(store, "one") == LedgerRow(
            page_id=event.page_id,
            url=event.url,
            host="a.example",
            crawl_id="crawl-1",
            outcome="flagged",
            status=200,
            depth=2,
            parent_url="https://a.example/",
            content_id=event.content_id,
            score=0.9,
            language="en",
            model="2026.11-test",
            evidence_sha256="0" * 64,
            found_at=clock.now,
            fetched_at=event.fetched_at,
            judged_at=event.at,
            indexed_at=clock.now,
        )

    def test_unflagged_page_leaves_a_row_and_no_item(self, store: Store) -> None:
        store.upsert([unflagged()])
        assert store.item(pid("one")) is None
        assert (row(store, "one").outcome, row(store, "one").score) == ("not_flagged", 0.1)

    def test_page_worth_a_look_is_marked_in_its_row_and_leaves_no_item(self, store: Store) -> None:
        store.upsert([near(), unflagged("two")])
        assert store.item(pid("one")) is None
        assert (row(store, "one").outcome, row(store, "one").worth_a_look) == ("not_flagged", True)
        assert not row(store, "two").worth_a_look

    @pytest.mark.parametrize("make", [judged, unflagged])
    def test_page_judged_again_leaves_the_second_queue(self, store: Store, make: Callable[..., PageJudged]) -> None:
        store.upsert([near()])
        store.upsert([make(fetched_at=later(hours=1), at=later(hours=1))])
        assert not row(store, "one").worth_a_look

    def test_page_that_fails_later_stays_worth_a_look(self, store: Store) -> None:
        for events in ([near(), ended(at=later(hours=1))], [ended("two", at=later(hours=1)), near("two")]):
            store.upsert(events[:1])
            store.upsert(events[1:])
        for name in ("one", "two"):
            assert (row(store, name).outcome, row(store, name).worth_a_look) == ("failed", True)

    def test_url_that_ended_has_a_row_with_its_reason(self, store: Store) -> None:
        store.upsert([ended(outcome="duplicate", reason="same text", status=200, duplicate_of=pid("two"))])
        found = row(store, "one")
        assert (found.outcome, found.reason, found.duplicate_of, found.score) == (
            "duplicate",
            "same text",
            pid("two"),
            None,
        )

    def test_same_event_again_changes_nothing(self, store: Store, clock: Clock) -> None:
        store.upsert([judged(), ended("two")])
        before = store.item(pid("one")), row(store, "one"), row(store, "two")
        clock.now = later(hours=1)
        report = store.upsert([judged(), ended("two")])
        assert report.written == ()
        assert sorted(report.unchanged) == sorted([pid("one"), pid("two")])
        assert before == (store.item(pid("one")), row(store, "one"), row(store, "two"))

    def test_newer_fetch_replaces_the_machines_fields(self, store: Store, clock: Clock) -> None:
        store.upsert([judged()])
        clock.now = later(hours=2)
        new = judged(
            text="A new page about one.",
            title="New",
            fetched_at=later(hours=1),
            at=later(hours=1),
            says=verdict(score=0.7, subjects={"ammunition": 0.9}),
        )
        assert store.upsert([new]).written == (new.page_id,)
        item, found = store.item(new.page_id), row(store, "one")
        assert item is not None
        assert (item.text, item.title, item.content_id) == (new.text, "New", new.content_id)
        assert item.verdict == new.verdict
        assert item.first_seen_at == later(minutes=-60)
        assert (found.score, found.content_id, found.fetched_at) == (0.7, new.content_id, later(hours=1))
        assert (found.found_at, found.indexed_at) == (later(), later(hours=2))

    def test_older_event_never_overwrites(self, store: Store) -> None:
        new = judged(fetched_at=later(hours=1), at=later(hours=1), says=verdict(score=0.7))
        store.upsert([new])
        report = store.upsert([judged(), ended(), unflagged(at=later(hours=5))])
        assert (report.written, len(report.unchanged)) == ((), 3)
        assert row(store, "one").score == 0.7
        item = store.item(new.page_id)
        assert item is not None
        assert item.verdict.score == 0.7

    def test_judged_again_without_a_fetch_is_newer(self, store: Store) -> None:
        store.upsert([judged()])
        store.upsert([judged(at=later(hours=1), says=verdict(score=0.6, model="2026.12-test"))])
        item = store.item(pid("one"))
        assert item is not None
        assert (item.verdict.score, row(store, "one").model) == (0.6, "2026.12-test")

    def test_page_no_longer_flagged_loses_its_item(self, store: Store) -> None:
        store.upsert([judged()])
        store.upsert([unflagged(fetched_at=later(hours=1), at=later(hours=1))])
        store.refresh()
        assert store.item(pid("one")) is None
        assert store.search(ItemQuery(text="about")).total == 0
        assert store.counts("subject", ItemQuery()) == []
        assert row(store, "one").outcome == "not_flagged"

    def test_page_no_longer_flagged_keeps_its_item_if_decided(self, store: Store) -> None:
        old = judged()
        store.upsert([old])
        store.record_decisions([label()])
        new = unflagged(fetched_at=later(hours=1), at=later(hours=1), content_id=content_id("A page about tea."))
        store.upsert([new])
        item = store.item(pid("one"))
        assert item is not None
        assert (item.verdict.flagged, item.verdict.score, item.decision) == (False, 0.1, "of_concern")
        assert (item.text, item.content_id) == (old.text, old.content_id)
        assert item.fetched_at == later(hours=1)

    def test_page_flagged_after_it_was_not_becomes_an_item(self, store: Store) -> None:
        store.upsert([unflagged()])
        store.upsert([judged(fetched_at=later(hours=1), at=later(hours=1))])
        assert store.item(pid("one")) is not None
        assert row(store, "one").outcome == "flagged"

    def test_late_flag_does_not_bring_back_a_deleted_item(self, store: Store) -> None:
        store.upsert([unflagged(fetched_at=later(hours=1), at=later(hours=1))])
        store.upsert([judged()])
        assert store.item(pid("one")) is None

    def test_page_that_fails_later_keeps_its_item_and_what_is_known_of_it(self, store: Store) -> None:
        store.upsert([judged()])
        store.upsert([ended(at=later(hours=1))])
        found = row(store, "one")
        assert (found.outcome, found.reason, found.status) == ("failed", "status 404", 404)
        assert (found.score, found.content_id) == (0.9, judged().content_id)
        assert store.item(pid("one")) is not None

    def test_judgement_that_arrives_after_a_later_failure_still_makes_the_item(self, store: Store) -> None:
        store.upsert([ended(at=later(hours=1))])
        store.upsert([judged()])
        assert store.item(pid("one")) is not None
        assert (row(store, "one").outcome, row(store, "one").score) == ("failed", 0.9)

    def test_events_of_one_page_in_one_batch_apply_in_order_of_version(self, store: Store) -> None:
        new = judged(fetched_at=later(hours=1), at=later(hours=1), says=verdict(score=0.7))
        report = store.upsert([judged(), new, judged()])
        assert (report.written, report.unchanged) == ((pid("one"), pid("one")), (pid("one"),))
        assert row(store, "one").score == 0.7

    def test_empty_batch_is_nothing(self, store: Store) -> None:
        report = store.upsert([])
        assert (report.written, report.unchanged, report.rejected) == ((), (), ())
        assert store.record_decisions([]).written == ()

    @pytest.mark.parametrize(
        "bad",
        [
            judged("bad", title="half a character \ud83d"),
            judged("bad", at=later().replace(tzinfo=None)),
            judged("bad", says=verdict(score=7.0)),
            judged("bad", depth=2**70),
        ],
        ids=["surrogate", "naive time", "impossible score", "huge number"],
    )
    def test_bad_document_is_rejected_and_its_batch_written(self, store: Store, bad: msgspec.Struct) -> None:
        report = store.upsert([judged("one"), bad, ended("two")])  # type: ignore[list-item]
        assert sorted(report.written) == sorted([pid("one"), pid("two")])
        ((page_id, reason),) = report.rejected
        assert page_id == pid("bad")
        assert reason
        assert store.item(pid("bad")) is None
        assert row(store, "one").outcome == "flagged"

    def test_odd_text_is_kept_as_it_is(self, store: Store) -> None:
        odd = "Null \x00, emoji 😀, a very long " + "x" * 40_000
        store.upsert([judged(text=odd, title="'\"; DROP", url="https://a.example/one")])
        item = store.item(pid("one"))
        assert item is not None
        assert (item.text, item.title) == (odd, "'\"; DROP")

    def test_very_long_url_is_kept(self, store: Store) -> None:
        event = ended("x" * 40_000)
        assert store.upsert([event]).written == (event.page_id,)
        store.refresh()
        (found,) = store.ledger(LedgerQuery(page_id=(event.page_id,))).rows
        assert found.url == event.url

    def test_another_store_on_the_same_place_sees_it_at_once(
        self, store: Store, another_store: Callable[[], Store]
    ) -> None:
        store.upsert([judged()])
        assert another_store().item(pid("one")) is not None

    def test_two_writers_of_the_same_pages_end_with_the_newest(
        self, store: Store, another_store: Callable[[], Store]
    ) -> None:
        names = [f"page-{number}" for number in range(20)]
        versions = [
            [
                judged(name, fetched_at=later(hours=hour), at=later(hours=hour), says=verdict(score=hour / 10))
                for name in names
            ]
            for hour in range(1, 7)
        ]
        writers = [store, another_store()]
        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(lambda n: writers[n % 2].upsert(versions[(n * 5) % 6]), range(6)))
        assert not any(report.rejected for report in reports)
        store.refresh()
        assert store.ledger_counts()["flagged"] == 20
        for name in names:
            item = store.item(pid(name))
            assert item is not None
            assert (item.verdict.score, row(store, name).score) == (0.6, 0.6)

    def test_writer_who_unflags_and_writer_who_flags_agree_in_the_end(
        self, store: Store, another_store: Callable[[], Store]
    ) -> None:
        names = [f"page-{number}" for number in range(20)]
        old = [judged(name) for name in names]
        new = [unflagged(name, fetched_at=later(hours=1), at=later(hours=1)) for name in names]
        other = another_store()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda call: call[0].upsert(call[1]), [(store, old), (other, new)]))
        assert [store.item(pid(name)) for name in names] == [None] * 20
        store.refresh()
        assert store.ledger_counts() == {outcome: 20 if outcome == "not_flagged" else 0 for outcome in OUTCOMES}
