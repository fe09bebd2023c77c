from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.port import ItemQuery, StoreRejectedError
from storage.sqlite import SqliteStore
from tests.contract.samples import judged, label
from tests.unit.read_only import folder_for_all, read_only
from tests.unit.storage.one_line import one_line

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


def start_writer(path: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), *arguments]
    root = Path(__file__).resolve().parents[3]
    return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


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
