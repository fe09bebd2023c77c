"""A producer in memory, which can be held up in the middle of a transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class MemoryProducers:
    """Stands where a module opens its producers, and notes what they did."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: str = "consumers.transaction") -> None:
        self.done: list[str] = []
        self.reached = threading.Event()
        self.held: dict[str, threading.Event] = {}
        """Calls that wait for their event."""
        self.on: dict[str, Callable[[], None]] = {}
        """What is called at the end of a call."""
        monkeypatch.setattr(f"{module}.open_producer", self.open)

    def open(self, *_: Any, **__: Any) -> MemoryProducer:
        self.note("open")
        return MemoryProducer(self)

    @contextmanager
    def holding(self, call: str) -> Iterator[None]:
        """Hold this call up, and let it go in the end."""
        gate = self.held[call] = threading.Event()
        try:
            yield
        finally:
            gate.set()

    def note(self, call: str) -> None:
        if call in self.held:
            self.reached.set()
            assert self.held[call].wait(10)
        self.done.append(call)
        self.on.get(call, _nothing)()


def _nothing() -> None:
    pass


class _Sent:
    def get(self, timeout: float) -> None:
        """The message was acknowledged."""


class MemoryProducer:
    def __init__(self, producers: MemoryProducers) -> None:
        self._note = producers.note

    def init_transactions(self) -> None:
        self._note("init")

    def begin_transaction(self) -> None:
        self._note("begin")

    def send(self, topic: str, **_: Any) -> _Sent:
        self._note("send")
        return _Sent()

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
