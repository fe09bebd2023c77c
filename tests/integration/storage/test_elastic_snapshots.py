"""Snapshot and restore, by the very lines of docs/operations.md."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from storage.elastic import ElasticStore
from storage.elastic.indices import KINDS
from storage.port import ItemQuery, LedgerQuery
from tests.contract.samples import ended, judged, label, later, pid
from tests.servers.elasticsearch import ElasticsearchServer, elasticsearch_node

DOCS = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")


def calls() -> list[tuple[str, str, dict[str, object] | None]]:
    """Return (method, path, body) of the lines under *Snapshots*, in order."""
    section = DOCS[DOCS.index("## Snapshots") :].split("\n## ")[0]
    found = []
    for line in re.findall(r"^\$ (curl .*)$", section, re.MULTILINE):
        words = shlex.split(line)
        body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
        url = next(word for word in words if word.startswith("$ES"))
        found.append((words[words.index("-X") + 1], url.removeprefix("$ES"), body))
    return found


def call(client: Elasticsearch, method: str, path: str, body: dict[str, object] | None) -> None:
    headers = {"accept": "application/json", "content-type": "application/json"}
    client.perform_request(method, path, headers=headers, body=body)


@pytest.fixture(scope="module")
def server() -> Iterator[ElasticsearchServer]:
    with elasticsearch_node(heap="512m") as node:
        config = node._folder / "config" / "elasticsearch.yml"
        config.write_text(config.read_text() + "action.destructive_requires_name: false\n")
        node.start()
        yield node.server


def test_snapshot_brings_items_decisions_and_aliases_back(server: ElasticsearchServer) -> None:
    register, snapshot, delete, restore = calls()
    store = ElasticStore(server.client_options() | {"request_timeout": 60.0})
    store.setup()
    october = later(days=-30)
    store.upsert([judged("one"), judged("two", fetched_at=october, at=october), ended("three")])
    store.record_decisions([label("one")])
    before = sorted(store.items(ItemQuery()), key=lambda item: item.page_id) if store.refresh() is None else []
    with server.client() as client:
        names = {kind: set(client.indices.get_alias(name=store._indices.read(kind))) for kind in KINDS}
        call(client, *register)
        call(client, *snapshot)
        store.upsert([judged("four")])
        call(client, *delete)
        assert not client.indices.get(index="guidewatch-*", expand_wildcards="all").body
        call(client, *restore)
        store.setup()
        assert {kind: set(client.indices.get_alias(name=store._indices.read(kind))) for kind in KINDS} == names
    assert sorted(store.items(ItemQuery()), key=lambda item: item.page_id) == before
    assert len(before) == 2
    assert store.ledger(LedgerQuery()).total == 3
    assert [one.id for one in store.decisions()] == ["label-one"]
    assert store.upsert([judged("one"), judged("four")]).written == (pid("four"),)
    store.record_decisions([label("two")])
    item = store.item(pid("two"))
    assert item is not None
    assert item.decision == "of_concern"
    store.close()
