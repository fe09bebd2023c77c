"""The contract's fixtures, on SQLite files, and a store of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage.sqlite import SqliteStore
from tests.contract.fixtures import Place, another_store, clock, four, shared_stores, six, store

__all__ = ["another_store", "clock", "four", "new_place", "shared_stores", "six", "store"]


@pytest.fixture(scope="module")
def new_place(tmp_path_factory: pytest.TempPathFactory) -> Callable[[ExitStack], Place]:
    def make(_: ExitStack) -> Place:
        path = tmp_path_factory.mktemp("sqlite") / "store.sqlite"
        return lambda clock: SqliteStore(path, clock=clock)

    return make


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def ready(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path, busy_timeout_s=0.05)
    store.setup()
    yield store
    store.close()
