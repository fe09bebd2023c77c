"""A producer in memory, which can be held up in the middle of a transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest


class MemoryProducers:
    """Stands where `consumers.transaction` opens its producers, and notes what they did."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.reached = threading.Event()
        self.held: dict[str, threading.Event] = {}
        """Calls that wait for their event."""
        self.on: dict[str, Callable[[], None]] = {}
        """What is called at the end of a call."""
        monkeypatch.setattr("consumers.transaction.open_producer", self.open)

    def open(self, *_: Any, **__: Any) -> MemoryProducer:
        self.note("open")
        return MemoryProducer(self)

    def note(self, call: str) -> None:
        if call in self.held:
            self.reached.set()
            assert self.held[call].wait(10)
        self.done.append(call)
        self.on.get(call, _nothing)()


def _nothing() -> None:
    pass


class MemoryProducer:
    def __init__(self, producers: MemoryProducers) -> None:
        self._note = producers.note

    def init_transactions(self) -> None:
        self._note("init")

    def begin_transaction(self) -> None:
        self._note("begin")

    def flush(self) -> None:
        self._note("flush")

    def send_offsets_to_transaction(self, offsets: Any, group: Any) -> None:
        self._note("offsets")

    def commit_transaction(self) -> None:
        self._note("commit")

    def abort_transaction(self) -> None:
        self._note("abort")

    def close(self, timeout: float) -> None:
        self._note("close")
