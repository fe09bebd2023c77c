from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from msgspec import structs

from storage.elastic import ElasticStore, clustering
from storage.elastic.bulk import Operation
from storage.elastic.documents import item_document, ledger_document
from storage.elastic.indices import FIRST, KINDS, MONTHLY, month_of
from storage.elastic.templates import template
from storage.merge import Held, with_event
from storage.port import ItemQuery, LedgerQuery, StoreRejectedError, StoreUnavailableError
from tests.contract.clustering import signed
from tests.contract.samples import NOON, ended, judged, label, later, near, pid
from tests.integration.storage.old_installation import set_up_as_before
from tests.servers.elasticsearch import ElasticsearchServer, running_elasticsearch


@pytest.fixture(scope="module")
def secured() -> Iterator[ElasticsearchServer]:
    with running_elasticsearch(security=True, heap="512m") as server:
        yield server


@pytest.fixture
def prefixed(elasticsearch_server: ElasticsearchServer, elasticsearch_prefix: str) -> Iterator[ElasticStore]:
    store = ElasticStore(elasticsearch_server.client_options(), prefix=elasticsearch_prefix)
    yield store
    store.close()


def test_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        store = ElasticStore({"hosts": [address], "basic_auth": ("somebody", "secret")})
        for call in (store.setup, store.health, store.refresh, lambda: store.upsert([ended()])):
            with pytest.raises(StoreUnavailableError, match=f"Elasticsearch at {address} cannot be reached: ") as error:
                call()
            assert "\n" not in str(error.value)
            assert "secret" not in str(error.value)
        store.close()


def test_wrong_password_is_refused_and_not_retried(secured: ElasticsearchServer) -> None:
    store = ElasticStore({"hosts": [secured.url], "basic_auth": (secured.user, "wrong")})
    with pytest.raises(StoreRejectedError, match="does not accept the user name or the password"):
        store.health()
    store.close()


def test_right_password_works_with_security_on(secured: ElasticsearchServer) -> None:
    store = ElasticStore(secured.client_options(), prefix="secured")
    store.setup()
    store.upsert([judged()])
    store.refresh()
    assert store.health().endswith(", 1 items")
    store.close()


@pytest.mark.parametrize("options", [{}, {"hosts": ["nonsense"]}, {"hosts": ["http://a.example:1"], "no_such": 1}])
def test_wrong_settings_are_refused_with_one_line(options: dict[str, object]) -> None:
    with pytest.raises(StoreRejectedError, match="settings of Elasticsearch are wrong"):
        ElasticStore(options)


def test_calls_before_setup_say_so_and_create_nothing(prefixed: ElasticStore, elasticsearch_prefix: str) -> None:
    calls = (
        lambda: prefixed.upsert([ended()]),
        lambda: prefixed.record_decisions([label()]),
        lambda: prefixed.item(pid("one")),
        lambda: prefixed.search(ItemQuery()),
        lambda: list(prefixed.decisions()),
        prefixed.refresh,
    )
    for call in calls:
        with pytest.raises(StoreRejectedError, match="set up"):
            call()
    with prefixed._connection.translated() as client:
        assert not client.indices.get(index=f"{elasticsearch_prefix}-*").body


def test_setup_by_two_at_once_makes_one_index_behind_each_alias(
    elasticsearch_server: ElasticsearchServer, prefixed: ElasticStore, elasticsearch_prefix: str
) -> None:
    other = ElasticStore(elasticsearch_server.client_options(), prefix=elasticsearch_prefix)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda store: store.setup(), [prefixed, other]))
    other.close()
    with elasticsearch_server.client() as client:
        found = client.indices.get_alias(index=f"{elasticsearch_prefix}-*")
    names, month = prefixed._indices, month_of(later(days=9_999), datetime.now(UTC))
    assert {name: sorted(index["aliases"]) for name, index in found.items()} == {
        names.index(kind, template(kind)["version"], place): sorted([names.read(kind), names.write(kind, place)])
        for kind in KINDS
        for place in [month if kind in MONTHLY else FIRST]
    }


def test_setup_refuses_a_cluster_of_a_newer_version(
    elasticsearch_server: ElasticsearchServer, prefixed: ElasticStore, elasticsearch_prefix: str
) -> None:
    with elasticsearch_server.client() as client:
        name = f"{elasticsearch_prefix}-items"
        client.indices.put_index_template(name=name, index_patterns=[f"{name}-v*"], priority=200, version=99)
    with pytest.raises(StoreRejectedError, match="made by a newer guidewatch"):
        prefixed.setup()


def test_ledger_from_before_the_second_queue_is_upgraded_with_its_rows_outside_it(
    elasticsearch_server: ElasticsearchServer, prefixed: ElasticStore, elasticsearch_prefix: str
) -> None:
    state = with_event(Held(), judged("old"), NOON).ledger
    assert state is not None
    document = ledger_document(state)
    del document["guidewatch"]["worth_a_look"]
    with elasticsearch_server.client() as client:
        set_up_as_before(client, elasticsearch_prefix, {"ledger": ("worth_a_look", "decision")})
        client.index(index=f"{elasticsearch_prefix}-ledger-write", id=pid("old"), document=document)
    with pytest.raises(StoreRejectedError, match="set up by an older guidewatch: set it up again"):
        prefixed.upsert([near("new")])
    prefixed.setup()
    assert prefixed.upsert([near("new")]).rejected == ()
    prefixed.record_decisions([label("old")])
    prefixed.refresh()
    found = {wanted: prefixed.ledger(LedgerQuery(worth_a_look=wanted)).rows for wanted in (True, False)}
    assert [row.page_id for row in found[True]] == [pid("new")]
    assert [(row.page_id, row.decision) for row in found[False]] == [(pid("old"), "of_concern")]


def test_items_from_before_the_clusters_are_adopted_by_their_text(
    elasticsearch_server: ElasticsearchServer, prefixed: ElasticStore, elasticsearch_prefix: str
) -> None:
    events = [judged(str(n), text="Same.", fetched_at=later(hours=9 - n), at=later(hours=9)) for n in range(3)]
    with elasticsearch_server.client() as client:
        set_up_as_before(client, elasticsearch_prefix, {"items": ("cluster",)})
        for event in [*events, judged("other")]:
            item = with_event(Held(), event, NOON).item
            assert item is not None
            document = item_document(item)
            del document["guidewatch"]["cluster"]
            del document["guidewatch"]["search"]["en"]
            client.index(index=f"{elasticsearch_prefix}-items-write", id=event.page_id, document=document)
    with pytest.raises(StoreRejectedError, match="set up by an older guidewatch: set it up again"):
        prefixed.upsert([judged("new")])
    prefixed.setup()
    prefixed.refresh()
    found = {item.page_id: (item.cluster_id, item.cluster_since) for item in prefixed.items(ItemQuery())}
    assert {found[event.page_id] for event in events} == {(events[0].content_id, later(hours=7))}
    assert found[pid("other")] == (judged("other").content_id, later(hours=-1))
    assert prefixed.search(ItemQuery(one_per_cluster=True)).total == 2


def test_clusters_that_a_stopped_writer_left_open_are_settled_by_the_replay(prefixed: ElasticStore) -> None:
    prefixed.setup()
    events = [judged("one", minhash=signed(1)), judged("two", minhash=signed(1, [3]), at=later(hours=1))]
    prefixed._pages.change(
        [event.page_id for event in events],
        lambda page_id, held: with_event(held, next(one for one in events if one.page_id == page_id), NOON),
    )
    assert {item.cluster_id for event in events if (item := prefixed.item(event.page_id))} == {
        event.content_id for event in events
    }
    assert prefixed.upsert(events).written == ()
    assert len({item.cluster_id for event in events if (item := prefixed.item(event.page_id))}) == 1


def test_more_clusters_than_one_search_returns_become_one(
    prefixed: ElasticStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clustering, "_MOST_CLUSTERS", 2)
    monkeypatch.setattr(clustering, "_MOST_MOVES", 2)
    monkeypatch.setattr(clustering, "_SEARCHES", 2)
    prefixed.setup()
    parts = [judged(f"part-{n}", minhash=signed(1, range(30 * n, 30 * n + 30))) for n in range(4)]
    prefixed.upsert(parts)
    assert len({item.cluster_id for event in parts if (item := prefixed.item(event.page_id))}) == 4
    prefixed.upsert([judged("like all", minhash=signed(1), fetched_at=later(hours=1), at=later(hours=1))])
    assert len({item.cluster_id for event in parts if (item := prefixed.item(event.page_id))}) == 1


def test_document_that_the_mapping_refuses_is_rejected_alone(prefixed: ElasticStore) -> None:
    prefixed.setup()
    report = prefixed.upsert([judged("one"), judged("bad", depth=2**40), ended("two")])
    assert report.written == (pid("one"), pid("two"))
    ((page_id, reason),) = report.rejected
    assert page_id == pid("bad")
    assert "depth" in reason


def test_write_that_stopped_between_ledger_and_item_is_completed_by_the_replay(
    elasticsearch_server: ElasticsearchServer, prefixed: ElasticStore, elasticsearch_prefix: str
) -> None:
    prefixed.setup()
    prefixed.upsert([judged()])
    with elasticsearch_server.client() as client:
        client.delete(index=f"{elasticsearch_prefix}-items-write-2026.11", id=pid("one"))
    assert prefixed.upsert([judged()]).written == (pid("one"),)
    assert prefixed.item(pid("one")) is not None


def test_decision_that_stopped_after_its_document_is_completed_by_the_replay(
    elasticsearch_server: ElasticsearchServer, prefixed: ElasticStore, elasticsearch_prefix: str
) -> None:
    prefixed.setup()
    prefixed.upsert([judged()])
    prefixed._write_decisions([label()])
    assert prefixed.record_decisions([label()]).written == (pid("one"),)
    item = prefixed.item(pid("one"))
    assert item is not None
    assert item.decision == "of_concern"


def test_pages_beyond_ten_thousand_rows_are_reached(prefixed: ElasticStore) -> None:
    prefixed.setup()
    prefixed.upsert([ended(f"page-{n}") for n in range(10_020)])
    prefixed.refresh()
    ids = sorted(pid(f"page-{n}") for n in range(10_020))
    page = prefixed.ledger(LedgerQuery(offset=9_990, limit=100))
    assert (page.total, [row.page_id for row in page.rows]) == (10_020, ids[9_990:])


def test_a_walk_goes_beyond_ten_thousand_items(prefixed: ElasticStore) -> None:
    """The documents are written as they are, without what upsert does around them, which takes a minute."""
    prefixed.setup()
    model = with_event(Held(), judged("model", text="A page."), NOON).item
    assert model is not None
    items = [structs.replace(model, page_id=pid(f"page-{n}"), url=f"https://a.example/{n}") for n in range(10_020)]
    index = prefixed._indices.write("items", "2026.11")
    answers = prefixed._pages.bulk.send(
        [Operation(index=index, id=item.page_id, document=item_document(item), seq_no=None) for item in items]
    )
    assert {answer.result for answer in answers} == {"done"}
    prefixed.refresh()
    assert [item.page_id for item in prefixed.items(ItemQuery())] == sorted(item.page_id for item in items)
