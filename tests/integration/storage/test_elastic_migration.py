"""Moving to indices of a new version loses no write and no read, also when it is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from storage.elastic import ElasticStore
from storage.elastic.copying import Copy
from storage.elastic.indices import KINDS
from storage.merge import Held, with_event, with_labels
from storage.port import ItemQuery, LedgerQuery, StoreRejectedError, StoreUnavailableError
from tests.contract.samples import NOON, ended, judged, label, later, pid, unflagged, verdict
from tests.integration.storage.old_installation import set_up_as_before, write_as_before
from tests.servers.elasticsearch import ElasticsearchServer

PAGES = 60

MIGRATION = """
import os, signal, sys, time
from storage.elastic import ElasticStore, copying, migrating
copying._USUAL_BATCH, copying._BATCH, copying._NOTED_EVERY = 5, {}, 1
store = ElasticStore({"hosts": [sys.argv[1]]}, prefix=sys.argv[2])
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[3] == "blocked":
    copying.Copy.check = die
seen = 0
def progress(what, done, total):
    global seen
    seen += 1
    if sys.argv[3] == "copying" and seen == 4:
        die()
migration = store.migration()
for step in migration.plan():
    migration.run(step, progress)
"""


@pytest.fixture
def client(elasticsearch_server: ElasticsearchServer) -> Iterator[Elasticsearch]:
    with elasticsearch_server.client() as made:
        yield made


@pytest.fixture
def store(
    elasticsearch_server: ElasticsearchServer, elasticsearch_prefix: str, client: Elasticsearch
) -> Iterator[ElasticStore]:
    """Yield the store of an installation from before, with pages of which every tenth is decided, set up again."""
    set_up_as_before(client, elasticsearch_prefix)
    for n in range(PAGES):
        held = with_event(Held(), judged(f"page-{n}", text=f"Workshops and lessons {n}."), NOON)
        if n % 10 == 0:
            held = with_labels(held, [label(f"page-{n}")])
        write_as_before(client, elasticsearch_prefix, held)
    write_as_before(client, elasticsearch_prefix, with_event(Held(), ended("row"), NOON))
    made = ElasticStore(elasticsearch_server.client_options(), prefix=elasticsearch_prefix)
    made.setup()
    yield made
    made.close()


def migrate(store: ElasticStore) -> list[str]:
    migration = store.migration()
    steps = migration.plan()
    for step in steps:
        migration.run(step, lambda *_: None)
    return [step.target for step in steps]


def run_killed(server: ElasticsearchServer, prefix: str, where: str) -> None:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", MIGRATION, server.url, prefix, where], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL


def check_all(store: ElasticStore) -> None:
    store.refresh()
    assert store.search(ItemQuery(text="lessons")).total == PAGES
    assert store.search(ItemQuery(decision=("of_concern",))).total == PAGES // 10
    assert store.ledger(LedgerQuery()).total == PAGES + 1
    assert len({item.page_id for item in store.items(ItemQuery())}) == PAGES


def test_every_index_of_an_older_version_is_moved_and_the_old_ones_stay_until_they_are_deleted(
    store: ElasticStore, client: Elasticsearch, elasticsearch_prefix: str
) -> None:
    assert len(migrate(store)) == len(KINDS)
    check_all(store)
    assert store.migration().plan() == []
    names = set(client.indices.get_alias(name=[store._indices.read(kind) for kind in KINDS]))
    assert not any("-v0-" in name for name in names)
    analysed = {"exists": {"field": "guidewatch.search.en.text"}}
    assert client.count(index=f"{elasticsearch_prefix}-items", query=analysed)["count"] == PAGES
    old = store.migration().old()
    assert len(old) == len(KINDS)
    with pytest.raises(Exception, match="index write"):
        client.index(index=old[0], id="x", document={})
    assert store.migration().delete_old() == old
    assert store.migration().old() == []
    check_all(store)


def test_writes_while_documents_are_moved_all_end_in_the_new_index(
    store: ElasticStore, elasticsearch_server: ElasticsearchServer, elasticsearch_prefix: str
) -> None:
    """One writer renews every page, the other takes pages away and decides; both meet the moment of the swap."""
    done = threading.Event()
    writer = ElasticStore(elasticsearch_server.client_options(), prefix=elasticsearch_prefix)
    rounds = 0

    def write() -> None:
        nonlocal rounds
        while not done.is_set() or rounds < 2:
            rounds += 1
            at = later(minutes=rounds)
            says = verdict(score=min(1.0, rounds / 100))
            text = "Workshops and lessons."
            try:
                writer.upsert([judged(f"page-{n}", text=text, says=says, fetched_at=at, at=at) for n in range(40)])
                writer.upsert([judged(f"new-{rounds}", fetched_at=at, at=at)])
                writer.record_decisions([label("page-1", id=f"label-{rounds}", at=at)])
            except StoreUnavailableError:
                rounds -= 1

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        writer.upsert([unflagged("page-59", fetched_at=later(hours=-1, minutes=30), at=later())])
        try:
            migrate(store)
        finally:
            done.set()
        writing.result()
    store.refresh()
    items = {item.page_id: item for item in store.items(ItemQuery())}
    assert len(items) == PAGES - 1 + rounds
    assert pid("page-59") not in items
    assert {items[pid(f"page-{n}")].verdict.score for n in range(40)} == {min(1.0, rounds / 100)}
    assert len(items[pid("page-1")].decisions) == rounds
    assert len(list(store.decisions())) == rounds
    assert store.ledger(LedgerQuery()).total == PAGES + 1 + rounds
    writer.close()


def test_migration_that_was_killed_goes_on_where_it_was(
    store: ElasticStore,
    elasticsearch_server: ElasticsearchServer,
    elasticsearch_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_killed(elasticsearch_server, elasticsearch_prefix, "copying")
    check_all(store)
    store.upsert([judged("page-3", text="Workshops and lessons, renewed.", fetched_at=later(), at=later())])
    written: list[int] = []
    plain = Copy._write
    monkeypatch.setattr(Copy, "_write", lambda self, lines: (written.append(len(lines)), plain(self, lines)))
    (items, *_) = store.migration().plan()
    store.migration().run(items, lambda *_: None)
    assert sum(written) == PAGES - 20 + 1
    migrate(store)
    check_all(store)
    item = store.item(pid("page-3"))
    assert item is not None
    assert item.text == "Workshops and lessons, renewed."


def test_writers_wait_for_a_migration_that_was_killed_while_they_were_shut_out(
    store: ElasticStore, elasticsearch_server: ElasticsearchServer, elasticsearch_prefix: str
) -> None:
    run_killed(elasticsearch_server, elasticsearch_prefix, "blocked")
    check_all(store)
    newer = judged("page-3", text="Workshops and lessons, renewed.", fetched_at=later(), at=later())
    with pytest.raises(StoreUnavailableError, match=r"guidewatch index migrate.*stopped"):
        store.upsert([newer])
    migrate(store)
    store.upsert([newer])
    check_all(store)


def test_document_that_does_not_fit_stops_the_migration_and_all_goes_on_as_before(
    store: ElasticStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strange(_: object, hit: dict[str, object]) -> list[bytes]:
        name = str(hit["_id"])
        return [b'{"index": {"_index": "%s", "_id": "%s"}}' % (target.encode(), name.encode()), b'{"strange": 1}']

    target = store.migration().plan()[0].target
    monkeypatch.setattr(Copy, "_lines", strange)
    with pytest.raises(StoreRejectedError, match=r"document [0-9a-f]{32} of .* does not fit"):
        migrate(store)
    monkeypatch.undo()
    check_all(store)
    store.upsert([judged("page-3", text="Workshops and lessons, renewed.", fetched_at=later(), at=later())])
    migrate(store)
    check_all(store)


def test_migration_wants_this_version_to_be_set_up(
    client: Elasticsearch, elasticsearch_server: ElasticsearchServer, elasticsearch_prefix: str
) -> None:
    set_up_as_before(client, elasticsearch_prefix)
    store = ElasticStore(elasticsearch_server.client_options(), prefix=elasticsearch_prefix)
    with pytest.raises(StoreRejectedError, match=r"older guidewatch: set it up again|has it been set up"):
        store.migration().plan()
    store.close()
