from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from storage.port import ItemQuery, StoreRejectedError, StoreUnavailableError
from storage.sqlite import SqliteStore
from storage.sqlite.database import migrations
from storage.sqlite.failures import translated
from tests.contract.samples import ended, judged, pid
from tests.unit.storage.one_line import one_line


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
