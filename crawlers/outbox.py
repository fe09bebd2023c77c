"""Between the event loop and the sink: puts events in, wakes the loop when they are durable."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from concurrent.futures import Future

from crawlers.sink import PageSink, SinkUnavailableError
from events import PageFound, UrlEnded

_Answer = asyncio.Future[float | None]


class AbandonedError(Exception):
    """The crawl ended before the sink answered; the event is put again by the next run."""


class Outbox:
    """Hands events to a sink and counts those that wait.

    The sink's threads never touch the loop but for one wake-up per batch of answers.
    """

    def __init__(self, sink: PageSink) -> None:
        self._sink = sink
        self._waiting: dict[_Answer, int] = {}
        self.chars = 0
        """Of the texts that wait."""
        self._answers: deque[tuple[_Answer, float | None, BaseException | None]] = deque()
        self._woken = False

    def __len__(self) -> int:
        return len(self._waiting)

    async def put(self, events: list[PageFound | UrlEnded]) -> list[float | None]:
        """Put ``events`` and return, when all are durable, the score of each that was judged.

        Raises
        ------
        SinkUnavailableError
            The sink did not take one of them.
        AbandonedError
            `abandon` was called first.
        """
        loop = asyncio.get_running_loop()
        waits = []
        for event in events:
            wait: _Answer = loop.create_future()
            size = len(event.text) if isinstance(event, PageFound) else 0
            self._waiting[wait] = size
            self.chars += size
            waits.append(wait)
            self._hand_over(event, wait, loop)
        scores: list[float | None] = []
        for result in await asyncio.gather(*waits, return_exceptions=True):
            if isinstance(result, AbandonedError | SinkUnavailableError):
                raise result
            if isinstance(result, BaseException):
                raise SinkUnavailableError(f"{type(result).__name__}: {result}") from result
            scores.append(result)
        return scores

    def abandon(self) -> None:
        """Wait no longer for anything."""
        for wait in list(self._waiting):
            self._settle(wait, None, AbandonedError())

    def _hand_over(self, event: PageFound | UrlEnded, wait: _Answer, loop: asyncio.AbstractEventLoop) -> None:
        def answered(done: Future[float | None]) -> None:
            error = done.exception() if not done.cancelled() else SinkUnavailableError("the sink gave up")
            self._answers.append((wait, None if error is not None else done.result(), error))
            if not self._woken:
                self._woken = True
                with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                    loop.call_soon_threadsafe(self._collect)

        self._sink.put(event).add_done_callback(answered)

    def _collect(self) -> None:
        self._woken = False
        while self._answers:
            self._settle(*self._answers.popleft())

    def _settle(self, wait: _Answer, score: float | None, error: BaseException | None) -> None:
        self.chars -= self._waiting.pop(wait, 0)
        if wait.done():
            return
        if error is None:
            wait.set_result(score)
        else:
            wait.set_exception(error)
