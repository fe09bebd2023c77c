"""A page is in one month only, whoever writes, and whatever clocks say (ADR 0024)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.elastic import ElasticStore
from storage.elastic.indices import MONTHLY
from storage.merge import Held, with_event, with_labels
from storage.port import Check, ItemQuery, LedgerQuery, Retention
from tests.contract.clustering import signed
from tests.contract.samples import NOON, Clock, ended, judged, label, later, pid, verdict
from tests.integration.storage.old_installation import set_up_as_before, write_as_before
from tests.servers.elasticsearch import ElasticsearchServer

OCTOBER = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
NOVEMBER = OCTOBER + timedelta(minutes=2)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def another(
    elasticsearch_server: ElasticsearchServer, elasticsearch_prefix: str, clock: Clock
) -> Iterator[Callable[[], ElasticStore]]:
    made: list[ElasticStore] = []

    def open_store() -> ElasticStore:
        made.append(ElasticStore(elasticsearch_server.client_options(), prefix=elasticsearch_prefix, clock=clock))
        return made[-1]

    yield open_store
    for store in made:
        store.close()


@pytest.fixture
def store(another: Callable[[], ElasticStore]) -> ElasticStore:
    made = another()
    made.setup()
    return made


def months(store: ElasticStore, kind: str = "items") -> dict[str, int]:
    """Return documents by the month in the name of their index."""
    store.refresh()
    client: Any = store._connection.client
    found = client.indices.get_alias(index=f"{store._indices.read(kind)}-v*")  # type: ignore[arg-type]
    return {index[-7:]: client.count(index=index)["count"] for index in sorted(found)}


def seen(name: str, at: datetime, **fields: Any) -> Any:
    return judged(name, fetched_at=at, at=at, **fields)


def test_pages_lie_in_the_month_of_their_first_fetch_and_stay_there(store: ElasticStore) -> None:
    store.upsert([seen("old", OCTOBER), seen("new", NOVEMBER), ended("gone", at=OCTOBER)])
    assert months(store) == {"2026.10": 1, "2026.11": 1}
    assert months(store, "ledger") == {"2026.10": 2, "2026.11": 1}
    store.upsert([seen("old", NOVEMBER, text="Another text."), seen("gone", NOVEMBER)])
    store.record_decisions([label("old")])
    store.record_checks([Check(page_id=pid("old"), at=NOON, state="online")])
    assert months(store) == {"2026.10": 2, "2026.11": 1}
    assert months(store, "checks") == {"2026.10": 1, "2026.11": 0}
    item = store.item(pid("old"))
    assert item is not None
    assert (item.text, item.decision, item.first_seen_at) == ("Another text.", "of_concern", OCTOBER)
    assert store.ledger(LedgerQuery()).total == 3


def test_replay_of_old_events_makes_their_month_and_changes_nothing_twice(store: ElasticStore) -> None:
    old = [seen(str(n), datetime(2024, 1 + n, 15, tzinfo=UTC)) for n in range(3)]
    store.upsert(old)
    assert months(store) == {"2024.01": 1, "2024.02": 1, "2024.03": 1, "2026.11": 0}
    assert store.upsert(old).written == ()
    assert sum(months(store).values()) == 3


def test_two_workers_who_meet_a_page_in_two_months_put_it_into_one(
    store: ElasticStore, another: Callable[[], ElasticStore]
) -> None:
    names = [f"page-{n}" for n in range(30)]
    writers = [store, another()]
    events = [[seen(name, at) for name in names] for at in (OCTOBER, NOVEMBER)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda n: writers[n].upsert(events[n]), range(2)))
    assert sum(months(store).values()) == sum(months(store, "ledger").values()) == 30
    assert sum(months(store, "histories").values()) == 30
    assert {item.fetched_at for item in store.items(ItemQuery())} == {NOVEMBER}


def test_wrong_clocks_make_no_further_months_and_no_page_twice(store: ElasticStore, clock: Clock) -> None:
    store.upsert([seen("future", later(days=9_999)), seen("past", datetime(1970, 1, 1, tzinfo=UTC))])
    clock.now = datetime(1970, 1, 1, tzinfo=UTC)
    store.upsert([seen("future", later(days=10_000)), seen("unset", NOON)])
    clock.now = later(days=900)
    store.upsert([seen("unset", later(days=1)), seen("past", later(days=1))])
    assert months(store) == {"2020.01": 2, "2026.11": 1}


def test_months_are_of_use_at_once_to_a_store_that_was_open_before(
    store: ElasticStore, another: Callable[[], ElasticStore]
) -> None:
    other = another()
    assert other.item(pid("one")) is None
    store.upsert([seen("one", OCTOBER)])
    assert other.item(pid("one")) is not None
    assert other.upsert([seen("one", OCTOBER)]).written == ()


def test_page_from_before_the_months_is_found_changed_and_never_there_twice(
    elasticsearch_server: ElasticsearchServer,
    elasticsearch_prefix: str,
    another: Callable[[], ElasticStore],
) -> None:
    held = with_labels(with_event(Held(), judged("old", minhash=signed(1)), NOON), [label("old")])
    with elasticsearch_server.client() as client:
        set_up_as_before(client, elasticsearch_prefix)
        write_as_before(client, elasticsearch_prefix, held)
        write_as_before(client, elasticsearch_prefix, with_event(Held(), ended("row"), NOON))
    store = another()
    store.setup()
    item = store.item(pid("old"))
    assert item is not None
    assert item.decision == "of_concern"
    assert store.upsert([judged("old", minhash=signed(1)), ended("row")]).written == ()
    new = judged("old", minhash=signed(1), fetched_at=later(), at=later(), says=verdict(score=0.6))
    assert store.upsert([new]).written == (pid("old"),)
    mirror = judged("mirror", minhash=signed(1, range(5)), fetched_at=later(), at=later())
    store.upsert([mirror])
    assert months(store) == {"-000001": 1, "2026.11": 1}
    assert months(store, "ledger") == {"-000001": 2, "2026.11": 1}
    found = list(store.items(ItemQuery()))
    assert sorted(one.verdict.score for one in found) == [0.6, 0.9]
    assert len({one.cluster_id for one in found}) == 1


def test_month_that_is_empty_goes_and_comes_back_with_its_next_page(store: ElasticStore, clock: Clock) -> None:
    clock.now = OCTOBER
    store.upsert([seen("one", OCTOBER), seen("two", OCTOBER)])
    clock.now = later()
    store.upsert([seen("two", NOVEMBER), seen("three", NOVEMBER)])
    store.refresh()
    rule = Retention(ledger_before=NOVEMBER)
    assert store.remove_old(rule, NOON, dry_run=True).months == ()
    assert store.remove_old(rule, NOON).rows == 1
    assert months(store, "ledger") == {"2026.10": 1, "2026.11": 1}
    store.refresh()
    rule = Retention(ledger_before=later(minutes=1))
    assert store.remove_old(rule, NOON, dry_run=True).months == ("2026.10",)
    assert store.remove_old(rule, NOON).months == ("2026.10",)
    assert {kind: months(store, kind) for kind in MONTHLY} == {kind: {"2026.11": 0} for kind in MONTHLY}
    assert months(store, "histories") == {"-000001": 0}
    store.upsert([seen("one", OCTOBER)])
    assert months(store) == {"2026.10": 1, "2026.11": 0}


def test_who_hears_of_a_page_while_its_row_is_removed_keeps_it_in_one_month(
    store: ElasticStore, another: Callable[[], ElasticStore], clock: Clock
) -> None:
    clock.now = OCTOBER
    names = [f"page-{n}" for n in range(40)]
    store.upsert([seen(name, OCTOBER) for name in names])
    store.refresh()
    clock.now = later()
    writer = another()
    with ThreadPoolExecutor(2) as pool:
        removing = pool.submit(store.remove_old, Retention(ledger_before=NOVEMBER), NOON)
        for start in range(0, 40, 5):
            writer.upsert([seen(name, NOVEMBER) for name in names[start : start + 5]])
        removing.result()
    assert sum(months(store).values()) == sum(months(store, "ledger").values()) == 40
    assert store.upsert([seen(name, NOVEMBER) for name in names]).written == ()
    assert sum(months(store, "histories").values()) == 40
