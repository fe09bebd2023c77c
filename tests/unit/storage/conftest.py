"""The contract's fixtures, on SQLite files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

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
