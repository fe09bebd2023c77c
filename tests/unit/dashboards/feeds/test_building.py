from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from dashboards.feeds import build_edition, publish_edition
from dashboards.feeds.page import edition_html
from events import PageJudged
from storage.sqlite import SqliteStore
from tests.contract.clustering import signed
from tests.unit.dashboards.conftest import Clock
from tests.unit.dashboards.sample_items import NOW, fill, judged, label

LONG_AGO = NOW - timedelta(days=40)
SINCE = NOW - timedelta(days=10)


def _page(number: int, **changes) -> PageJudged:
    options = {"text": f"Text number {'x' * number}", "title": "Unspeakable title"} | changes
    return judged(f"https://host{number}.example/secret-path-{number}", **options)


def _confirm(store: SqliteStore, *events: PageJudged, **changes) -> None:
    store.upsert(events)
    store.record_decisions([label(event, **changes) for event in events])


def _build(
    store: SqliteStore, clock: Clock, *, restricted: bool = True, name: str = "n1", since: datetime | None = None
):
    return build_edition(store, restricted=restricted, edition_id=name, since=since, clock=clock)


def _numbers(cells) -> dict[str, int | None]:
    return {cell.value: cell.texts for cell in cells}


def test_only_what_was_decided_of_concern_is_confirmed(store: SqliteStore, clock: Clock) -> None:
    events = [_page(n) for n in range(5)]
    store.upsert(events)
    for event, decision in zip(events, ("of_concern", "lawful", "not_relevant", "unsure"), strict=False):
        store.record_decisions([label(event, decision)])
    edition = _build(store, clock)
    assert (edition.confirmed.texts, edition.awaiting_review.texts) == (1, 1)
    assert edition.page_ids == (events[0].page_id,)
    assert _numbers(edition.decision) == {"of_concern": 1, "lawful": 1, "not_relevant": 1, "unsure": 1, "open": 1}


def test_a_decision_that_was_changed_counts_as_the_last_one(store: SqliteStore, clock: Clock) -> None:
    event = _page(1)
    _confirm(store, event)
    store.record_decisions([label(event, "lawful", at=event.fetched_at + timedelta(days=2))])
    assert _build(store, clock).confirmed.texts == 0


def test_the_same_text_at_several_addresses_counts_once(store: SqliteStore, clock: Clock) -> None:
    _confirm(store, *[_page(n, text="Same.") for n in range(3)])
    edition = _build(store, clock)
    assert (edition.confirmed.texts, edition.confirmed.pages) == (1, 3)
    assert _numbers(edition.confirmed.language) == {"en": 1}
    (item,) = edition.items
    assert {address.url for address in item.addresses} == {
        f"hxxps://host{n}[.]example/secret-path-{n}" for n in range(3)
    }


def test_nearly_the_same_text_counts_once(store: SqliteStore, clock: Clock) -> None:
    _confirm(store, *[_page(n, minhash=signed(1, [n])) for n in range(3)], _page(3, minhash=signed(2)))
    edition = _build(store, clock)
    assert (edition.confirmed.texts, edition.confirmed.pages) == (2, 4)
    assert sorted(len(item.addresses) for item in edition.items) == [1, 3]


def test_analysts_corrections_replace_what_the_classifier_said(store: SqliteStore, clock: Clock) -> None:
    event = _page(1)
    _confirm(store, event, subjects=["ammunition"], techniques=["repair"])
    edition = _build(store, clock)
    assert _numbers(edition.confirmed.subject) == {"ammunition": 1}
    assert _numbers(edition.confirmed.technique) == {"repair": 1}


def test_new_is_what_no_earlier_edition_for_the_same_readers_had(store: SqliteStore, clock: Clock, tmp_path) -> None:
    _confirm(store, _page(1))
    publish_edition(store, _build(store, clock), tmp_path)
    publish_edition(store, _build(store, clock, restricted=False), tmp_path)
    _confirm(store, _page(2))
    edition = _build(store, clock, name="n2")
    assert _numbers(edition.newness) == {"known": 1, "new": 1}
    assert {a.url: a.new for item in edition.items for a in item.addresses} == {
        "hxxps://host1[.]example/secret-path-1": False,
        "hxxps://host2[.]example/secret-path-2": True,
    }


def test_a_late_decision_is_reported_once_in_the_next_edition(store: SqliteStore, clock: Clock, tmp_path) -> None:
    _confirm(store, _page(1, fetched_at=LONG_AGO), _page(2))
    edition = _build(store, clock, since=SINCE)
    assert edition.confirmed.texts == 2
    publish_edition(store, edition, tmp_path)
    again = _build(store, clock, name="n2", since=SINCE)
    assert again.confirmed.texts == 1


def test_items_outside_the_period_are_not_awaiting_review(store: SqliteStore, clock: Clock) -> None:
    store.upsert([_page(1, fetched_at=LONG_AGO), _page(2)])
    assert _build(store, clock, since=SINCE).awaiting_review.texts == 1


def test_the_same_inputs_give_the_same_bytes_before_and_after_publishing(
    store: SqliteStore, clock: Clock, tmp_path
) -> None:
    fill(store, 60, decided=40)
    for restricted in (True, False):
        first = _build(store, clock, restricted=restricted)
        publish_edition(store, first, tmp_path)
        second = _build(store, clock, restricted=restricted)
        assert msgspec.json.encode(first) == msgspec.json.encode(second)
        assert edition_html(first) == edition_html(second)


def test_a_public_edition_names_no_page(store: SqliteStore, clock: Clock) -> None:
    events = [_page(n, language=("en", "ar")[n == 0]) for n in range(6)]
    _confirm(store, *events)
    edition = _build(store, clock, restricted=False).public_form()
    told = msgspec.json.encode(edition).decode() + edition_html(edition)
    for event in events:
        for secret in (event.page_id, event.content_id, event.host, event.host.replace(".", "[.]"), "secret-path"):
            assert secret not in told
    assert "Unspeakable" not in told
    assert "Text number" not in told
    assert _numbers(edition.confirmed.language) == {"other": 6}


def test_a_restricted_edition_has_defanged_addresses_and_no_words_of_the_page(store: SqliteStore, clock: Clock) -> None:
    _confirm(store, _page(1))
    edition = _build(store, clock)
    told = msgspec.json.encode(edition.public_form()).decode() + edition_html(edition)
    assert "hxxps://host1[.]example/secret-path-1" in told
    assert "https://host1" not in told
    assert "Unspeakable" not in told
    assert "Text number" not in told


def test_a_small_public_edition_says_fewer_than_three(store: SqliteStore, clock: Clock) -> None:
    _confirm(store, _page(1))
    edition = _build(store, clock, restricted=False)
    assert (edition.confirmed.texts, edition.confirmed.pages) == (None, None)
    assert "fewer than 3" in edition_html(edition)


def test_an_empty_store_makes_an_edition_too(store: SqliteStore, clock: Clock) -> None:
    for restricted in (True, False):
        edition = _build(store, clock, restricted=restricted)
        assert (edition.confirmed.texts, edition.items, edition.over_time.by) == (0, (), "")
        assert "Confirmed of concern" in edition_html(edition)


def test_hostile_addresses_come_out_inert(store: SqliteStore, clock: Clock) -> None:
    event = judged(page_id="ab" * 16, url='https://a.example/"><script>alert(1)</script>', host="a.example<b>")
    _confirm(store, event)
    assert "<script" not in edition_html(_build(store, clock))


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a b", "a\n", "a" * 81])
def test_an_id_that_is_no_file_name_is_refused(store: SqliteStore, clock: Clock, name: str) -> None:
    with pytest.raises(ValueError, match="use up to 80 letters"):
        _build(store, clock, name=name)


def test_a_period_that_ends_before_it_begins_is_refused(store: SqliteStore, clock: Clock) -> None:
    with pytest.raises(ValueError, match="would begin at"):
        build_edition(store, restricted=False, edition_id="a", since=NOW, until=LONG_AGO, clock=clock)
