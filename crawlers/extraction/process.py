"""Takes documents apart in a process of its own, which may crash, hang or swell without harm (ADR 0016)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, TypeVar, cast

import msgspec

from crawlers.extraction.extracted import Extracted
from crawlers.extraction.pdf import UnreadableError
from crawlers.extraction.worker import LENGTH_BYTES, MEMORY, READY, Answer, Document, Limits

Result = TypeVar("Result")
_START_S = 60.0
_KEPT = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR")
"""What the process sees of the environment: nothing secret."""


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


class ExtractionProcess:
    """One process, used from one event loop, for one document after the other.

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
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="extraction")
        self._turn = asyncio.Lock()
        self._answers = msgspec.msgpack.Decoder(Answer)
        self._stopped = False
        self._gate = threading.Lock()

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
        async with self._turn:
            if self._stopped:
                raise ExtractionStoppedError
            process = self._process
            if process is None or process.poll() is not None:
                try:
                    await self._within(_START_S, self._start, document)
                except HostileDocumentError as error:
                    raise ExtractionStoppedError("reader: the process for documents does not start") from error
            answer = await self._within(self._limits.wall_s, self._exchange, document)
        return _read(document, answer)

    def stop_within(self, seconds: float) -> None:
        """Give the document that is being read this long, and refuse everything that comes later."""
        asyncio.get_running_loop().call_later(seconds, self.close)

    def close(self) -> None:
        """End the process; what it is reading is left."""
        with self._gate:
            self._stopped = True
        self._kill()
        self._thread.shutdown(wait=True)
        self._forget()

    async def _within(self, limit_s: float, work: Callable[[Document], Result], document: Document) -> Result:
        """Do ``work``, which waits for the process, in the thread; a process that takes longer is killed."""
        waiting = asyncio.get_running_loop().run_in_executor(self._thread, work, document)
        done, _ = await asyncio.wait([waiting], timeout=limit_s)
        if not done:
            self._kill()
        try:
            return await waiting
        except (OSError, EOFError, msgspec.DecodeError) as error:
            raise self._broken(document, late=not done) from error

    def _exchange(self, document: Document) -> Answer:
        process = self._process
        if process is None:
            raise EOFError
        source, target = cast("BinaryIO", process.stdout), cast("BinaryIO", process.stdin)
        packed = msgspec.msgpack.encode(document)
        target.write(len(packed).to_bytes(LENGTH_BYTES))
        target.write(packed)
        target.flush()
        length = int.from_bytes(_exactly(source, LENGTH_BYTES))
        if length > self._limits.answer_bytes:
            raise EOFError
        answer = self._answers.decode(_exactly(source, length))
        if answer.last:
            self._forget()
        return answer

    def _start(self, _: Document) -> None:
        """Start the process, and wait until it is ready: that is not the time of a document."""
        self._forget()
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        with self._gate:
            if self._stopped:
                raise EOFError
            process = self._process = subprocess.Popen(  # noqa: S603 ourselves
                [sys.executable, "-P", "-m", self._module, msgspec.json.encode(self._limits).decode()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                start_new_session=True,
            )
        _exactly(cast("BinaryIO", process.stdout), len(READY))

    def _broken(self, document: Document, *, late: bool) -> Exception:
        self._kill()
        status = self._process.wait() if self._process is not None else 0
        self._forget()
        if self._stopped:
            return ExtractionStoppedError()
        kind = "pdf" if document.pdf else "html"
        slow = late or status == -signal.SIGXCPU
        return HostileDocumentError(f"{kind} takes too long" if slow else f"{kind} crashes its reader")

    def _kill(self) -> None:
        process = self._process
        if process is not None:
            process.kill()

    def _forget(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                cast("BinaryIO", pipe).close()


def _read(document: Document, answer: Answer) -> Extracted:
    kind = "pdf" if document.pdf else "html"
    if answer.unreadable:
        raise UnreadableError(answer.unreadable)
    if answer.error == MEMORY:
        raise HostileDocumentError(f"{kind} takes too much memory")
    if answer.extracted is None:
        raise HostileDocumentError(f"error: {answer.error}")
    return answer.extracted


def _exactly(source: BinaryIO, count: int) -> bytes:
    found = source.read(count)
    if len(found) != count:
        raise EOFError
    return found
