"""What every store promises about looking at pages again (`storage.port.Store.record_checks`), and about changes."""

from __future__ import annotations

from typing import Any

from events import content_id
from storage.port import CHECK_STATES, Check, LedgerQuery, LedgerRow, Store
from tests.contract.samples import ended, judged, label, later, pid, unflagged


def check(name: str = "one", *, hours: float = 1, **fields: Any) -> Check:
    """Return a check of the page called ``name``, hours after noon."""
    usual: dict[str, Any] = {"page_id": pid(name), "at": later(hours=hours), "state": "online", "status": 200}
    return Check(**(usual | fields))


def gone(name: str = "one", *, hours: float = 1) -> Check:
    return check(name, hours=hours, state="gone", reason="status 404", status=404)


def row(store: Store, name: str = "one") -> LedgerRow:
    store.refresh()
    (found,) = store.ledger(LedgerQuery(page_id=(pid(name),))).rows
    return found


class CheckingContract:
    def test_checks_are_kept_and_the_last_is_in_the_ledger(self, store: Store) -> None:
        store.upsert([judged()])
        first = check(content_id=content_id("A page about one."))
        report = store.record_checks([first, gone(hours=2)])
        assert (report.written, report.rejected) == ((pid("one"),), ())
        assert row(store).check_state == "gone"
        assert (row(store).checked_at, row(store).online) == (later(hours=2), False)
        assert store.checks(pid("one")) == [first, gone(hours=2)]
        assert store.checks(pid("one"), limit=1) == [gone(hours=2)]

    def test_a_check_that_cannot_tell_keeps_what_was_known(self, store: Store) -> None:
        store.upsert([judged()])
        store.record_checks([check(state="unreachable", reason="timeout", status=None)])
        assert (row(store).check_state, row(store).online) == ("unreachable", None)
        store.record_checks([check(hours=2, state="changed")])
        store.record_checks([check(hours=3, state="refused", reason="robots", status=None)])
        assert (row(store).check_state, row(store).online, row(store).checked_at) == ("refused", True, later(hours=3))

    def test_the_same_check_twice_is_one_and_an_older_one_does_not_undo_a_newer(self, store: Store) -> None:
        store.upsert([judged()])
        store.record_checks([gone(hours=2)])
        assert store.record_checks([gone(hours=2)]).unchanged == (pid("one"),)
        store.record_checks([check(hours=1)])
        assert row(store).check_state == "gone"
        assert [one.state for one in store.checks(pid("one"))] == ["online", "gone"]

    def test_checks_of_unknown_pages_and_malformed_ones_are_rejected_alone(self, store: Store) -> None:
        store.upsert([judged()])
        bad = check(hours=2, state="lost")
        report = store.record_checks([check("nowhere"), bad, check()])
        assert report.written == (pid("one"),)
        assert {page_id for page_id, _ in report.rejected} == {pid("nowhere"), pid("one")}

    def test_what_happens_to_a_page_later_keeps_its_checks(self, store: Store) -> None:
        store.upsert([judged()])
        store.record_checks([gone()])
        store.upsert([judged(at=later(hours=3), fetched_at=later(hours=3))])
        store.record_decisions([label()])
        assert (row(store).check_state, row(store).online) == ("gone", False)
        store.upsert([unflagged("two")])
        assert row(store, "two").check_state is None

    def test_pages_are_counted_by_their_last_check(self, store: Store) -> None:
        store.upsert([judged(name) for name in ("one", "two", "three", "four")])
        store.record_checks([check("one"), gone("two"), gone("three"), check("three", hours=2)])
        store.refresh()
        assert store.check_counts() == dict.fromkeys(CHECK_STATES, 0) | {"online": 2, "gone": 1}

    def test_an_item_says_since_when_its_text_is_another_one(self, store: Store) -> None:
        store.upsert([judged()])
        item = store.item(pid("one"))
        assert item is not None
        assert (item.changed_at, item.previous_content_id) == (None, None)
        first = item.content_id
        at = later(hours=1)
        store.upsert([judged(text="Another text.", at=at, fetched_at=at, previous_content_id=first, changed_share=0.5)])
        item = store.item(pid("one"))
        assert item is not None
        assert (item.changed_at, item.previous_content_id, item.changed_share) == (at, first, 0.5)
        again = later(hours=2)
        store.upsert([judged(text="Another text.", at=again, fetched_at=again)])
        item = store.item(pid("one"))
        assert item is not None
        assert (item.fetched_at, item.changed_at, item.previous_content_id) == (again, at, first)

    def test_a_change_is_seen_without_the_crawler_saying_so(self, store: Store) -> None:
        store.upsert([judged(changed_share=0.9)])
        first = store.item(pid("one"))
        assert first is not None
        at = later(hours=1)
        store.upsert([judged(text="Another text.", at=at, fetched_at=at)])
        item = store.item(pid("one"))
        assert item is not None
        assert (item.changed_at, item.previous_content_id, item.changed_share) == (at, first.content_id, None)

    def test_a_page_that_was_not_modified_ends_as_it_did(self, store: Store) -> None:
        event = judged()
        store.upsert([event])
        at = later(hours=1)
        told = {"outcome": "duplicate", "reason": "not modified", "status": 304, "content_id": event.content_id}
        store.upsert([ended(at=at, fetched_at=at, crawl_id="crawl-2", **told)])
        found = row(store)
        assert (found.outcome, found.reason, found.status) == ("flagged", "", 304)
        assert (found.fetched_at, found.crawl_id) == (at, "crawl-2")

    def test_a_feed_that_was_not_modified_is_a_feed_and_a_page_that_was_refused_is_refused_no_more(
        self, store: Store
    ) -> None:
        store.upsert(
            [
                ended("feed", outcome="unsupported", reason="feed", status=200),
                judged("one"),
                ended("one", outcome="refused", reason="robots", status=None, at=later(hours=1)),
            ]
        )
        told = {"outcome": "duplicate", "reason": "not modified", "status": 304, "at": later(hours=2)}
        text = content_id("A page about one.")
        store.upsert([ended("feed", content_id=content_id("links"), **told), ended("one", content_id=text, **told)])
        assert (row(store, "feed").outcome, row(store, "feed").reason) == ("unsupported", "feed")
        assert (row(store, "one").outcome, row(store, "one").reason) == ("duplicate", "not modified")

    def test_what_is_said_to_be_unmodified_and_is_not_known_is_a_duplicate(self, store: Store) -> None:
        store.upsert([ended(outcome="duplicate", reason="not modified", status=304, content_id=content_id("x"))])
        assert (row(store).outcome, row(store).reason) == ("duplicate", "not modified")
