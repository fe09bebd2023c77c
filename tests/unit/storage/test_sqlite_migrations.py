from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from events import PageJudged
from storage.port import ItemQuery, LedgerQuery, StoreRejectedError
from storage.sqlite import SqliteStore
from storage.sqlite.database import migrations
from storage.sqlite.rows import stamp
from tests.contract.clustering import signed
from tests.contract.samples import judged, later, near, pid


def test_failed_migration_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = [*migrations(), "CREATE TABLE more (x);\nSELECT * FROM missing;\n"]
    monkeypatch.setattr("storage.sqlite.database.migrations", lambda: scripts)
    with pytest.raises(StoreRejectedError, match="no such table"):
        SqliteStore(path).setup()
    monkeypatch.undo()
    store = SqliteStore(path)
    store.setup()
    assert store.health().startswith("ok, 0 items")
    store.close()


def test_older_file_is_brought_up_to_date_with_its_content(
    ready: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.upsert([judged()])
    scripts = [*migrations(), "ALTER TABLE items ADD COLUMN extra TEXT;\n"]
    monkeypatch.setattr("storage.sqlite.database.migrations", lambda: scripts)
    store = SqliteStore(path)
    with pytest.raises(StoreRejectedError, match=f"has schema {len(scripts) - 1}, not {len(scripts)}"):
        store.health()
    store.setup()
    assert store.item(pid("one")) is not None
    store.close()


def test_file_from_before_the_second_queue_opens_with_its_rows_outside_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = migrations()[:1]
    monkeypatch.setattr("storage.sqlite.database.migrations", lambda: first)
    SqliteStore(path).setup()
    monkeypatch.undo()
    connection = sqlite3.connect(path)
    at = "2026-11-24T11:00:00.000000Z"
    row = {"page_id": pid("old"), "url": "https://a.example/old", "host": "a.example", "crawl_id": "crawl-1"}
    row |= {"outcome": "not_flagged", "reason": "", "depth": 0, "score": 0.4, "found_at": at, "reviewed_at": at}
    row |= {"version_fetched_at": at, "version_at": at, "judged_flagged": 0}
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO ledger ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    connection.commit()
    connection.close()
    store = SqliteStore(path)
    store.setup()
    (found,) = store.ledger(LedgerQuery(worth_a_look=False)).rows
    assert (found.page_id, found.worth_a_look, found.decision, found.score) == (pid("old"), False, None, 0.4)
    assert store.ledger(LedgerQuery(worth_a_look=True)).total == 0
    assert store.upsert([near("new")]).written == (pid("new"),)
    assert [one.page_id for one in store.ledger(LedgerQuery(worth_a_look=True)).rows] == [pid("new")]
    store.close()


def test_file_from_before_the_clusters_opens_with_items_of_one_text_together(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = migrations()[:2]
    monkeypatch.setattr("storage.sqlite.database.migrations", lambda: first)
    SqliteStore(path).setup()
    monkeypatch.undo()
    events = [
        judged("one", text="Same.", fetched_at=later(hours=2)),
        judged("two", text="Same.", fetched_at=later(hours=1)),
        judged("three", fetched_at=later(hours=3)),
    ]
    write_old_items(path, events)
    store = SqliteStore(path)
    store.setup()
    found = {item.page_id: (item.cluster_id, item.cluster_since) for item in store.items(ItemQuery())}
    assert found[pid("one")] == found[pid("two")] == (events[0].content_id, later(hours=1))
    assert found[pid("three")] == (events[2].content_id, later(hours=3))
    again = judged("three", fetched_at=later(hours=9), at=later(hours=9), minhash=signed(1))
    store.upsert([again, judged("four", fetched_at=later(hours=8), at=later(hours=8), minhash=signed(1, [3]))])
    four = store.item(pid("four"))
    assert four is not None
    assert (four.cluster_id, four.cluster_since) == (events[2].content_id, later(hours=3))
    store.close()


def write_old_items(path: Path, events: list[PageJudged]) -> None:
    connection = sqlite3.connect(path)
    for event in events:
        at = stamp(event.fetched_at)
        row = {"page_id": event.page_id, "url": event.url, "host": event.host, "crawl_id": "crawl-1", "depth": 0}
        ledger = row | {"outcome": "flagged", "reason": "", "found_at": at, "judged_flagged": 1}
        ledger |= {"version_fetched_at": at, "version_at": at, "judged_version_fetched_at": at, "judged_version_at": at}
        item = row | {"content_id": event.content_id, "title": "", "text": event.text, "text_truncated": 0}
        item |= {"media_type": "text/html", "fetched_at": at, "first_seen_at": at, "judged_at": at, "score": 0.9}
        item |= {"language": "en", "model": "m", "verdict": msgspec.json.encode(event.verdict).decode()}
        for table, cells in (("ledger", ledger), ("items", item)):
            marks = ", ".join("?" * len(cells))
            connection.execute(f"INSERT INTO {table} ({', '.join(cells)}) VALUES ({marks})", list(cells.values()))
    connection.commit()
    connection.close()
