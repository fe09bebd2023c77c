"""The copy of a store, by the very line of docs/operations.md."""

from __future__ import annotations

import re
import shlex
import sqlite3
from pathlib import Path

from storage.port import ItemQuery, LedgerQuery
from storage.sqlite import SqliteStore
from tests.contract.samples import ended, judged, label, pid

DOCS = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")


def test_copy_of_a_store_that_is_written_to_is_whole(ready: SqliteStore, path: Path) -> None:
    (line,) = re.findall(r"^\$ (sqlite3 .*)$", DOCS, re.MULTILINE)
    _, _, statement = shlex.split(line)
    ready.upsert([judged("one"), ended("two")])
    ready.record_decisions([label("one")])
    copy = path.with_name("copy.sqlite")
    with sqlite3.connect(path) as connection:
        connection.execute(statement.replace("copy.sqlite", str(copy)))
    connection.close()
    ready.upsert([judged("three")])
    restored = SqliteStore(copy)
    restored.setup()
    item = restored.item(pid("one"))
    assert item is not None
    assert item.decision == "of_concern"
    assert restored.search(ItemQuery(text="one")).total == 1
    assert restored.ledger(LedgerQuery()).total == 2
    assert restored.upsert([judged("one"), judged("three")]).written == (pid("three"),)
    restored.close()
