"""Takes documents apart in a process of its own, which may crash, hang or swell without harm (ADR 0016)."""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from typing import NamedTuple

import msgspec

from crawlers.extraction.channel import Channel
from crawlers.extraction.extracted import Extracted
from crawlers.extraction.pdf import UnreadableError
from crawlers.extraction.worker import MEMORY, Answer, Document, Limits

_START_S = 60.0


class HostileDocumentError(Exception):
    """A document broke what reads it; ``reason`` is short and stable, such as ``pdf takes too long``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ExtractionStoppedError(Exception):
    """The document was not read: the crawl has stopped, or has to stop ``because`` the process cannot be started."""

    def __init__(self, because: str = "") -> None:
        super().__init__(because)
        self.because = because


class _Waiting(NamedTuple):
    document: Document
    answer: asyncio.Future[Answer]


class ExtractionProcess:
    """One process, used from one thread, for one document after the other.

    It is started for the first document, and anew after one that broke it.

    Parameters
    ----------
    limits
        What one document may take.
    module
        What the process runs.
    """

    def __init__(self, limits: Limits | None = None, module: str = "crawlers.extraction.worker") -> None:
        self._limits = limits or Limits()
        self._module = module
        self._process: Channel | None = None
        self._ready = False
        self._waiting: deque[_Waiting] = deque()
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._answers = msgspec.msgpack.Decoder(Answer)
        self._stopped = False

    async def take_apart(self, document: Document) -> Extracted:
        """Return what ``document`` says.

        Raises
        ------
        UnreadableError
            It is a PDF that cannot be read.
        HostileDocumentError
            It took too long or too much memory, or crashed the process.
        ExtractionStoppedError
            The crawl stopped first, or the process does not start.
        """
        if self._stopped:
            raise ExtractionStoppedError
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(document, answer))
        if not self._busy:
            self._begin()
        return _read(document, await answer)

    def stop_within(self, seconds: float) -> None:
        """Give the document that is being read this long, and refuse everything that comes later."""
        asyncio.get_running_loop().call_later(seconds, self.close)

    def close(self) -> None:
        """End the process; what it is reading is left."""
        self._stopped = True
        self._forget()
        while self._waiting:
            _fail(self._waiting.popleft(), ExtractionStoppedError())

    def _begin(self) -> None:
        """Hand the first document that waits to the process, which is started where there is none."""
        while self._waiting and self._waiting[0].answer.done():  # nobody waits for it any more
            self._waiting.popleft()
        self._busy = bool(self._waiting)
        if not self._busy:
            return
        loop = asyncio.get_running_loop()
        if self._process is None or not self._process.attend(loop):
            self._forget()
            try:
                self._process = Channel(self._module, self._limits, self._heard, lambda: self._broken(late=False))
            except OSError:
                self._fail_to_start()
                return
            self._process.attend(loop)
        if self._ready:
            self._process.send(msgspec.msgpack.encode(self._waiting[0].document))
        self._timer = loop.call_later(self._limits.wall_s if self._ready else _START_S, self._broken)

    def _heard(self, frame: bytes) -> None:
        """Take in what the process says, and give it the next document."""
        self._stop_timer()
        if not self._ready:
            self._ready = True
            self._begin()
            return
        if not self._busy:  # it says what nobody has asked
            self._forget()
            return
        try:
            answer = self._answers.decode(frame)
        except msgspec.DecodeError:
            self._broken(late=False)
            return
        waiting = self._waiting.popleft()
        if answer.last:
            self._forget()
        self._begin()
        if not waiting.answer.done():
            waiting.answer.set_result(answer)

    def _broken(self, *, late: bool = True) -> None:
        """Take note that the process has ended over a document, or took too long and has to; begin anew."""
        ready, status = self._ready, self._forget()
        if not self._busy:
            return
        if not ready:
            self._fail_to_start()
            return
        waiting = self._waiting.popleft()
        kind = "pdf" if waiting.document.pdf else "html"
        slow = late or status == -signal.SIGXCPU
        _fail(waiting, HostileDocumentError(f"{kind} takes too long" if slow else f"{kind} crashes its reader"))
        self._begin()

    def _fail_to_start(self) -> None:
        self._busy = False
        while self._waiting:
            error = ExtractionStoppedError("reader: the process for documents does not start")
            _fail(self._waiting.popleft(), error)

    def _forget(self) -> int:
        """End the process, if there is one, and return its exit status."""
        self._stop_timer()
        process, self._process, self._ready = self._process, None, False
        return process.kill() if process is not None else 0

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)


def _read(document: Document, answer: Answer) -> Extracted:
    kind = "pdf" if document.pdf else "html"
    if answer.unreadable:
        raise UnreadableError(answer.unreadable)
    if answer.error == MEMORY:
        raise HostileDocumentError(f"{kind} takes too much memory")
    if answer.extracted is None:
        raise HostileDocumentError(f"error: {answer.error}")
    return answer.extracted
