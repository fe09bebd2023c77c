"""A producer in memory, which can be held up or fail in one call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from kafka.errors import CoordinatorNotAvailableError, KafkaError


class Producer:
    """Notes what it is asked for, hangs in one call until its gate is opened, and fails in another."""

    def __init__(self, *, hangs: str = "", fails: str = "", error: KafkaError | None = None) -> None:
        self.calls: list[str] = []
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.gate = threading.Event()
        self._hangs, self._fails, self._error = hangs, fails, error or CoordinatorNotAvailableError()

    def send(self, topic: str, **message: Any) -> Producer:
        """Note a message; what is returned stands for its future."""
        self.sent.append((topic, message))
        return self

    def get(self, timeout: float) -> None:
        """The message was acknowledged."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        def call(*_: Any, **__: Any) -> None:
            if name == self._hangs:
                assert self.gate.wait(10)
            self.calls.append(name)
            if name == self._fails:
                raise self._error

        return call
