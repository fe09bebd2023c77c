from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from dashboards.review import make_app
from events import LabelRecorded
from storage.sqlite import SqliteStore
from tests.unit.dashboards.sample_items import NOW

TOKEN = "amina-0123456789abcdef"
ADDRESS = "http://127.0.0.1"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW + timedelta(days=3)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "items.sqlite", clock=clock)
    opened.setup()
    yield opened
    opened.close()


@pytest.fixture
def recorded(store: SqliteStore) -> list[LabelRecorded]:
    return []


@pytest.fixture
def open_app(store: SqliteStore, clock: Clock, recorded: list[LabelRecorded]) -> Iterator[Callable[..., TestClient]]:
    stack = ExitStack()

    def record(label: LabelRecorded) -> None:
        recorded.append(label)
        store.record_decisions([label])

    def build(**changes: Any) -> TestClient:
        options = {"record": record, "tokens": {"amina": TOKEN, "boris": "boris-token"}, "secret": "s", "clock": clock}
        app = make_app(changes.pop("store", store), **(options | changes))
        client = TestClient(app, base_url=ADDRESS, follow_redirects=False, raise_server_exceptions=False)
        return stack.enter_context(client)

    with stack:
        yield build


@pytest.fixture
def stranger(open_app: Callable[..., TestClient]) -> TestClient:
    """A client that has not signed in."""
    return open_app()


@pytest.fixture
def client(stranger: TestClient) -> TestClient:
    """A client that has signed in as amina."""
    assert stranger.get("/", params={"token": TOKEN}).status_code == 303
    return stranger
