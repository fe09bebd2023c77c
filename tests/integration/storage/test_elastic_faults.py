"""An index that cannot be written or read now is waited for: nothing is lost, and nothing is a dead letter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from elasticsearch import Elasticsearch

from storage.elastic import ElasticStore, bulk
from storage.port import ItemQuery, LedgerQuery, StoreUnavailableError
from tests.contract.samples import ended, judged, label, later, pid
from tests.servers.elasticsearch import ElasticsearchServer


@pytest.fixture
def client(elasticsearch_server: ElasticsearchServer) -> Iterator[Elasticsearch]:
    with elasticsearch_server.client() as made:
        yield made


@pytest.fixture
def store(
    elasticsearch_server: ElasticsearchServer, elasticsearch_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ElasticStore]:
    monkeypatch.setattr(bulk, "BACK_OFF_S", (0.01,))
    monkeypatch.setattr("storage.elastic.pages.BACK_OFF_S", (0.01,))
    monkeypatch.setattr(bulk, "SERVER_WAITS", "100ms")
    made = ElasticStore(elasticsearch_server.client_options(), prefix=elasticsearch_prefix)
    made.setup()
    made.upsert([judged("one"), ended("two")])
    made.refresh()
    yield made
    made.close()


@contextmanager
def setting(client: Elasticsearch, index: str, name: str) -> Iterator[None]:
    client.indices.put_settings(index=index, settings={name: True})
    yield
    client.indices.put_settings(index=index, settings={name: None})


WRITE, FLOOD = "index.blocks.write", "index.blocks.read_only_allow_delete"
"""The second is the one that the server sets by itself when its disk is full."""


@pytest.mark.parametrize(
    ("kind", "block", "reason"),
    [
        ("histories", WRITE, r"index write \(api\).*was it stopped"),
        ("items", WRITE, r"index write \(api\).*was it stopped"),
        ("ledger", FLOOD, "disk usage exceeded flood-stage watermark"),
    ],
)
def test_writer_waits_for_an_index_that_takes_no_writes(
    store: ElasticStore, client: Elasticsearch, elasticsearch_prefix: str, kind: str, block: str, reason: str
) -> None:
    newer = judged("one", fetched_at=later(), at=later(), text="Another text.")
    with setting(client, f"{elasticsearch_prefix}-{kind}", block):
        for call in (lambda: store.upsert([judged("three"), newer]), lambda: store.upsert([newer])):
            with pytest.raises(StoreUnavailableError, match=reason) as error:
                call()
            assert error.value.retry_after_s
            assert "\n" not in str(error.value)
        assert store.item(pid("one")) is not None
    store.upsert([judged("three"), newer])
    store.refresh()
    assert {item.text for item in store.items(ItemQuery())} == {"Another text.", "A page about three."}
    assert store.ledger(LedgerQuery()).total == 3


def test_decision_waits_for_an_index_that_takes_no_writes(
    store: ElasticStore, client: Elasticsearch, elasticsearch_prefix: str
) -> None:
    with (
        setting(client, f"{elasticsearch_prefix}-decisions", "index.blocks.write"),
        pytest.raises(StoreUnavailableError, match="blocked"),
    ):
        store.record_decisions([label("one")])
    assert store.record_decisions([label("one")]).written == (pid("one"),)


@pytest.mark.parametrize("kind", ["histories", "ledger"])
def test_index_that_is_red_is_waited_for_and_never_answers_in_part(
    store: ElasticStore, client: Elasticsearch, elasticsearch_prefix: str, kind: str
) -> None:
    nowhere = "index.routing.allocation.require._name"
    (index,) = client.indices.get_alias(name=f"{elasticsearch_prefix}-{kind}")
    aliases = client.indices.get_alias(index=index)[index]["aliases"]
    client.indices.delete(index=index)
    # Only an index that is new is not brought to the one node in spite of this.
    client.indices.create(index=index, aliases=aliases, settings={nowhere: "nowhere"}, wait_for_active_shards="0")
    calls = [lambda: store.upsert([judged("one"), ended("new")]), lambda: store.item(pid("one"))]
    if kind == "ledger":
        calls += [lambda: store.ledger(LedgerQuery()), store.ledger_counts]
    for call in calls:
        with pytest.raises(StoreUnavailableError) as error:
            call()
        assert "\n" not in str(error.value)
    client.indices.put_settings(index=index, settings={nowhere: None})
    client.cluster.health(index=index, wait_for_status="yellow", timeout="30s")
    assert store.upsert([judged("one"), ended("new")]).rejected == ()
    store.refresh()
    assert store.item(pid("one")) is not None
    assert {row.page_id for row in store.ledger(LedgerQuery()).rows} >= {pid("one"), pid("new")}
