from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from events import PageJudged
from storage.port import ItemQuery, LedgerQuery, StoreRejectedError, StoreUnavailableError
from storage.sqlite import SqliteStore, clustering, queries
from storage.sqlite.database import migrations
from storage.sqlite.failures import translated
from storage.sqlite.rows import stamp
from tests.contract.clustering import signed
from tests.contract.samples import ended, judged, label, later, near, pid, unflagged
from tests.unit.read_only import folder_for_all, read_only

WRITER = """
import sys
from pathlib import Path
from storage.sqlite import SqliteStore
from tests.contract.samples import ended, judged
store = SqliteStore(Path(sys.argv[1]))
store.setup()
for number in range(20):
    store.upsert([ended(f"{sys.argv[2]}-{number}-{n}") for n in range(10)] + [judged(f"{sys.argv[2]}-{number}")])
    print(number, flush=True)
if len(sys.argv) > 3:
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def ready(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path, busy_timeout_s=0.05)
    store.setup()
    yield store
    store.close()


def start_writer(path: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), *arguments]
    root = Path(__file__).resolve().parents[3]
    return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def one_line(error: pytest.ExceptionInfo[Exception], path: Path) -> str:
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_file_is_in_wal_mode_with_the_version_of_the_schema(ready: SqliteStore, path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(migrations()),)
    connection.close()


def test_call_before_setup_says_so_and_makes_no_file(path: Path) -> None:
    with pytest.raises(StoreRejectedError) as error:
        SqliteStore(path).upsert([ended()])
    assert "set the store up first" in one_line(error, path)
    assert not path.exists()


@pytest.mark.parametrize("call", [SqliteStore.setup, SqliteStore.health], ids=["setup", "health"])
def test_file_that_is_no_database_is_refused_and_left_alone(path: Path, call: object) -> None:
    path.write_bytes(b"These are somebody's notes, and no database.\n" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreRejectedError) as error:
        call(SqliteStore(path))  # type: ignore[operator]
    assert "is not a database" in one_line(error, path)
    assert path.read_bytes() == before


def test_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    for call in (SqliteStore.setup, SqliteStore.health):
        with pytest.raises(StoreRejectedError) as error:
            call(SqliteStore(path))
        assert "belongs to another program" in one_line(error, path)
    assert path.read_bytes() == before


def test_damaged_file_is_refused(ready: SqliteStore, path: Path) -> None:
    ready.upsert([judged(f"page-{n}") for n in range(50)])
    ready.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    store = SqliteStore(path)
    with pytest.raises(StoreRejectedError) as error:
        store.search(ItemQuery())
    assert "is damaged" in one_line(error, path)
    store.close()


def test_file_of_a_newer_version_is_refused(ready: SqliteStore, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreRejectedError) as error:
        SqliteStore(path).setup()
    assert "made by a newer guidewatch" in one_line(error, path)


def test_file_in_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "store.sqlite"
    with pytest.raises(StoreRejectedError) as error:
        SqliteStore(path).setup()
    assert "cannot be opened" in one_line(error, path)


def test_file_locked_by_another_program_is_unavailable(ready: SqliteStore, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError) as error:
        ready.upsert([ended()])
    assert "is locked" in one_line(error, path)
    assert error.value.retry_after_s
    other.execute("ROLLBACK")
    other.close()
    assert ready.upsert([ended()]).written == (pid("one"),)


def test_readers_go_on_while_another_program_writes(ready: SqliteStore, path: Path) -> None:
    ready.upsert([judged()])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert ready.search(ItemQuery()).total == 1
    other.close()


def test_full_disk_is_unavailable_and_writes_nothing_of_the_batch(ready: SqliteStore, path: Path) -> None:
    with ready._database.writing() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 5}")
    with pytest.raises(StoreUnavailableError) as error:
        ready.upsert([judged(f"page-{n}", text="word " * 2_000) for n in range(50)])
    assert "the disk is full" in one_line(error, path)
    assert sum(ready.ledger_counts().values()) == 0


def test_read_only_file_is_refused(ready: SqliteStore, path: Path) -> None:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with pytest.raises(StoreRejectedError) as error, translated(path):
        connection.execute("DELETE FROM ledger")
    connection.close()
    assert "is read-only" in one_line(error, path)


def test_closed_store_refuses_further_calls(ready: SqliteStore, path: Path) -> None:
    ready.close()
    with pytest.raises(StoreRejectedError, match="has been closed"):
        ready.health()


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


def test_likeness_is_searched_along_the_index_of_bands(ready: SqliteStore) -> None:
    with ready._database.reading() as connection:
        sql = clustering._CANDIDATES.format("?, ?")
        plan = " ".join(row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", (1, 2, 3)))
    assert "SEARCH item_bands USING PRIMARY KEY (band=?)" in plan
    assert "SEARCH items USING INTEGER PRIMARY KEY" in plan
    assert "SCAN" not in plan.replace("SCAN item_bands", "")


def test_list_of_clusters_reads_no_texts(ready: SqliteStore) -> None:
    query = ItemQuery(one_per_cluster=True, decision=("open",), host=("a.example",), language=("en",), min_score=0.5)
    for sort in ("score", "newest", "host"):
        wanted = msgspec.structs.replace(query, sort=sort)
        where = queries.items_where(wanted)
        select, _ = queries.search(wanted, where)
        with ready._database.reading() as connection:
            found = connection.execute(f"EXPLAIN QUERY PLAN {select}", [*where.parameters, 25, 0])
            plan = [row["detail"] for row in found]
        assert "SCAN items USING COVERING INDEX items_by_cluster" in plan, plan


def test_deleted_item_leaves_no_band(ready: SqliteStore) -> None:
    ready.upsert([judged(minhash=signed(1))])
    ready.upsert([judged(minhash=signed(2), text="New.", fetched_at=later(), at=later())])
    with ready._database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM item_bands").fetchone()[0] == 64
    ready.upsert([unflagged(fetched_at=later(hours=1), at=later(hours=1))])
    with ready._database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM item_bands").fetchone()[0] == 0


def test_second_queue_is_read_along_its_index(ready: SqliteStore) -> None:
    where = queries.ledger_where(LedgerQuery(worth_a_look=True, reviewed=False))
    order = queries.LEDGER_ORDER["score"]
    with ready._database.reading() as connection:
        for sql in (
            f"SELECT count(*) FROM ledger WHERE {where}",
            f"SELECT * FROM ledger WHERE {where} ORDER BY {order}",
        ):
            plan = [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
            assert len(plan) == 1, plan
            assert "ledger_worth_a_look" in plan[0]


def test_many_threads_share_one_store(ready: SqliteStore, path: Path) -> None:
    store = SqliteStore(path)
    barrier = threading.Barrier(8)

    def work(thread: int) -> int:
        barrier.wait()
        for n in range(5):
            store.upsert([judged(f"page-{thread}-{n}")])
            store.record_decisions([label(f"page-{thread}-{n}")])
        return store.search(ItemQuery(crawl_id=("crawl-1",), decision=("of_concern",))).total

    with ThreadPoolExecutor(8) as pool:
        assert min(pool.map(work, range(8))) >= 5
    assert store.search(ItemQuery(decision=("of_concern",))).total == 40
    store.close()


def test_two_processes_set_up_and_write_at_once(path: Path) -> None:
    writers = [start_writer(path, name) for name in ("a", "b")]
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0, 0]
    store = SqliteStore(path)
    assert store.ledger_counts()["failed"] == 400
    assert store.search(ItemQuery()).total == 40
    store.close()


def test_what_was_returned_survives_a_killed_process(path: Path) -> None:
    with start_writer(path, "a", "wait") as writer:
        assert writer.stdout is not None
        while writer.stdout.readline() != "19\n":
            assert writer.poll() is None
        os.kill(writer.pid, signal.SIGKILL)
    store = SqliteStore(path)
    assert store.ledger_counts()["failed"] == 200
    assert store.search(ItemQuery(text="page about")).total == 20
    store.close()


def test_new_file_is_for_its_owner_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        store = SqliteStore(path)
        store.setup()
        store.upsert([judged()])
        assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    finally:
        os.umask(before)
    store.close()


@pytest.mark.parametrize("killed", [False, True], ids=["closed", "killed"])
def test_store_that_may_only_be_read_is_read_whole_and_refuses_writes(killed: bool) -> None:
    with folder_for_all() as folder:
        path = folder / "store.sqlite"
        with start_writer(path, "a", "wait") as writer:
            assert writer.stdout is not None
            while writer.stdout.readline() != "19\n":
                assert writer.poll() is None
            if killed:
                writer.kill()
            else:
                writer.communicate("")
                store = SqliteStore(path)
                store.health()
                store.close()
        with read_only(folder):
            store = SqliteStore(path, read_only=True)
            assert store.search(ItemQuery(text="page about")).total == 20
            assert store.ledger_counts()["failed"] == 200
            with pytest.raises(StoreRejectedError) as error:
                store.upsert([judged("another")])
            assert "is read-only" in one_line(error, path)
            store.close()


def test_changes_that_cannot_be_seen_where_nothing_may_be_written_are_not_passed_over() -> None:
    with folder_for_all() as folder:
        path = folder / "store.sqlite"
        with start_writer(path, "a", "wait") as writer:
            assert writer.stdout is not None
            while writer.stdout.readline() != "19\n":
                assert writer.poll() is None
            writer.kill()
        path.with_name("store.sqlite-shm").unlink()
        with read_only(folder), pytest.raises(StoreRejectedError) as error:
            SqliteStore(path, read_only=True).health()
        assert "cannot be opened" in one_line(error, path)
