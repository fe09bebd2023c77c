"""What every store promises about removing what is old (`storage.retention`)."""

from __future__ import annotations

from datetime import datetime

import pytest

from storage.port import ItemQuery, LedgerQuery, Removed, Retention, Store
from tests.contract.checking import check
from tests.contract.clustering import page, signed
from tests.contract.samples import Clock, ended, judged, label, later, pid, unflagged

OLD = later(days=-100)
MONTHS_AGO = later(days=-200)


def aged(name: str, at: datetime = OLD, **fields: object):  # type: ignore[no-untyped-def]
    return judged(name, fetched_at=at, at=at, **fields)


def removed(store: Store, retention: Retention, *, dry_run: bool = False) -> tuple[int, int]:
    store.refresh()
    found: Removed = store.remove_old(retention, later(), dry_run=dry_run)
    store.refresh()
    return found.texts, found.rows


TEXTS = Retention(text_before=later(days=-50))
ROWS = Retention(ledger_before=later(days=-50))


class RemovingContract:
    def test_old_text_goes_and_address_verdict_and_decisions_stay(self, store: Store) -> None:
        store.upsert([aged("old", title="A Title"), judged("new")])
        store.record_decisions([label("old")])
        before = store.item(pid("old"))
        assert removed(store, TEXTS, dry_run=True) == (1, 0)
        assert store.item(pid("old")) == before
        assert removed(store, TEXTS) == (1, 0)
        item, other = store.item(pid("old")), store.item(pid("new"))
        assert item is not None
        assert other is not None
        assert before is not None
        assert (item.title, item.text, item.verdict.passages, item.text_removed_at) == ("", "", (), later())
        assert (item.url, item.verdict.score, item.decision) == (before.url, before.verdict.score, "of_concern")
        assert (item.content_id, item.minhash, item.cluster_id) == (
            before.content_id,
            before.minhash,
            before.cluster_id,
        )
        assert (other.text, other.text_removed_at) == ("A page about new.", None)
        assert store.search(ItemQuery(text="old")).total == 0
        assert store.search(ItemQuery(text="new")).total == 1
        assert removed(store, TEXTS) == (0, 0)

    def test_replay_does_not_bring_a_text_back_and_a_newer_fetch_does(self, store: Store) -> None:
        store.upsert([aged("old")])
        removed(store, TEXTS)
        assert store.upsert([aged("old")]).written == ()
        item = store.item(pid("old"))
        assert item is not None
        assert item.text == ""
        store.upsert([judged("old")])
        item = store.item(pid("old"))
        assert item is not None
        assert (item.text, item.text_removed_at, item.first_seen_at) == ("A page about old.", None, OLD)

    def test_item_without_its_text_still_knows_its_mirrors(self, store: Store) -> None:
        store.upsert([page("old", signed(1), -2400)])
        removed(store, TEXTS)
        store.upsert([page("mirror", signed(1, range(9)), 1)])
        found = [store.item(pid(name)) for name in ("old", "mirror")]
        assert len({item.cluster_id for item in found if item}) == 1

    def test_old_row_goes_with_its_item_and_checks_and_leaves_the_decisions(self, store: Store, clock: Clock) -> None:
        clock.now = OLD
        store.upsert([aged("item"), aged("kept"), ended("gone", at=OLD)])
        store.record_checks([check("item", hours=-2399)])
        store.record_decisions([label("item", at=OLD)])
        clock.now = later()
        store.upsert([judged("kept")])
        assert removed(store, ROWS, dry_run=True) == (0, 2)
        assert removed(store, ROWS) == (0, 2)
        assert [row.page_id for row in store.ledger(LedgerQuery()).rows] == [pid("kept")]
        assert (store.item(pid("item")), store.checks(pid("item"))) == (None, [])
        assert store.search(ItemQuery()).total == 1
        assert [one.id for one in store.decisions()] == ["label-item"]
        assert removed(store, ROWS) == (0, 0)

    @pytest.mark.parametrize("what", ["fetched", "decided", "reported", "checked"])
    def test_row_of_a_page_that_somebody_heard_of_lately_stays(self, store: Store, clock: Clock, what: str) -> None:
        clock.now = OLD
        store.upsert([aged("one")])
        if what == "fetched":
            store.upsert([unflagged("one")])
        elif what == "decided":
            store.record_decisions([label("one")])
        elif what == "reported":
            store.mark_reported([pid("one")], "2026-11", later())
        else:
            store.record_checks([check("one")])
        assert removed(store, ROWS) == (0, 0)
        assert store.ledger(LedgerQuery()).total == 1

    def test_page_that_is_found_again_after_its_row_went_is_new_and_has_its_decisions(
        self, store: Store, clock: Clock
    ) -> None:
        clock.now = OLD
        store.upsert([aged("one"), aged("two")])
        store.record_decisions([label("one", at=OLD)])
        removed(store, ROWS)
        clock.now = later()
        store.upsert([judged("one"), judged("two")])
        store.refresh()
        assert store.search(ItemQuery()).total == store.ledger(LedgerQuery()).total == 2
        one, two = store.item(pid("one")), store.item(pid("two"))
        assert one is not None
        assert two is not None
        assert (one.decision, one.first_seen_at) == ("of_concern", judged().fetched_at)
        assert two.decision is None

    def test_many_old_rows_go(self, store: Store, clock: Clock) -> None:
        clock.now = MONTHS_AGO
        store.upsert([ended(f"page-{n}", at=MONTHS_AGO) for n in range(1_203)])
        clock.now = later()
        store.upsert([ended("new")])
        assert removed(store, ROWS) == (0, 1_203)
        assert store.ledger(LedgerQuery()).total == 1

    def test_nothing_is_old_without_a_rule(self, store: Store) -> None:
        store.upsert([aged("old")])
        assert removed(store, Retention()) == (0, 0)

    def test_newest_is_when_the_store_last_heard_of_any_page(self, store: Store, clock: Clock) -> None:
        assert store.newest() is None
        clock.now = OLD
        store.upsert([aged("old")])
        store.refresh()
        assert store.newest() == OLD
        store.record_decisions([label("old", at=later(days=-3))])
        store.refresh()
        assert store.newest() == later(days=-3)
