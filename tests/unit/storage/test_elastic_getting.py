from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from storage.elastic.getting import Found, Gets
from storage.elastic.indices import Indices, Kind
from storage.port import StoreUnavailableError

STARTING = {"error": {"type": "no_shard_available_action_exception", "reason": "No shard available"}}
THERE = {"found": True, "_index": "x-items-v3-2026.10", "_seq_no": 1, "_primary_term": 1, "_source": {"a": 1}}


class FakeCluster:
    """Answers each request with the next of these documents, and with the last one for ever."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.documents = list(documents)

    @contextmanager
    def translated(self) -> Iterator[FakeCluster]:
        yield self

    def mget(self, **_: Any) -> dict[str, Any]:
        return {"docs": [self.documents.pop(0) if len(self.documents) > 1 else self.documents[0]]}


def get(*documents: dict[str, Any]) -> tuple[dict[tuple[Kind, str], Found], list[float]]:
    waits: list[float] = []
    gets = Gets(FakeCluster(*documents), Indices("x"), waits.append)  # type: ignore[arg-type]
    return gets.get([("items", "2026.10", "page")]), waits


def test_index_that_somebody_has_just_created_is_waited_for() -> None:
    found, waits = get(STARTING, STARTING, THERE)
    assert found["items", "page"].source == {"a": 1}
    assert waits == [0.1, 0.3]


def test_what_can_be_read_is_not_waited_for() -> None:
    assert get(THERE)[1] == []


def test_shard_that_does_not_come_back_is_an_error_of_the_moment() -> None:
    with pytest.raises(StoreUnavailableError, match=r"x-items-write-2026\.10 cannot be read now: No shard"):
        get(STARTING)
