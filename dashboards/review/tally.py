"""How many requests were answered and decisions taken, for the metrics of the process: no names, no addresses."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from events import LabelRecorded


class Tally:
    """An app that passes every request on to another, and counts.

    Parameters
    ----------
    app
        What `dashboards.review.make_app` returned.
    clock_s
        Returns seconds, on whatever scale.
    """

    def __init__(self, app: ASGIApp, clock_s: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._clock_s = clock_s
        self.requests: Counter[str] = Counter()
        """Requests answered, by the first digit of their status: ``2xx``."""
        self.seconds = 0.0
        """Time that these took."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = self._clock_s()
        status = 500

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_look)
        finally:
            self.requests[f"{status // 100}xx"] += 1
            self.seconds += self._clock_s() - began_s


class Recorder:
    """Passes decisions on, and counts those that were taken; from several threads.

    Parameters
    ----------
    record
        Takes a decision, or raises.
    """

    def __init__(self, record: Callable[[LabelRecorded], None]) -> None:
        self._record = record
        self._lock = threading.Lock()
        self.decisions: Counter[str] = Counter()
        """Decisions taken, by what was decided."""

    def __call__(self, label: LabelRecorded) -> None:
        """Pass a decision on."""
        self._record(label)
        with self._lock:
            self.decisions[label.decision] += 1
