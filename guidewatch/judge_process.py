"""A process that judges beside the crawl, so that neither waits for the other's turn in one interpreter."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from events import PageFound, PageJudged

_CONTEXT = multiprocessing.get_context("spawn")


class JudgeDiedError(Exception):
    """The judging process ended while it judged; another one has been started."""


class JudgeFailedError(Exception):
    """A batch could not be judged; the message says why."""


class JudgeProcess:
    """Judges in a process of its own, as `composition.judge` does in this one; called from one thread.

    It ends with `close`, and by itself when this process is killed.

    Parameters
    ----------
    model
        Model folder; None for the configured one, or the shipped one.

    Raises
    ------
    classifier.ModelError, guidewatch.errors.UserMistakeError
        The model cannot be loaded.
    """

    def __init__(self, model: Path | None = None) -> None:
        self._model = model
        self._closed = False
        self._process, self._connection = self._start()

    def __call__(self, pages: Sequence[PageFound]) -> list[PageJudged]:
        """Return one judged page a page, in order.

        Raises
        ------
        JudgeFailedError, JudgeDiedError
            The batch was not judged; a part of it may be.
        """
        try:
            self._connection.send(list(pages))
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            if not self._closed:
                self._process.join()
                self._process, self._connection = self._start()
            raise JudgeDiedError("the judging process ended") from error
        if isinstance(answer, BaseException):
            raise answer
        return list(answer)

    def close(self) -> None:
        """End the process, whatever it does; from any thread. A call under way raises `JudgeDiedError`."""
        self._closed = True
        self._process.kill()
        self._process.join()

    def _start(self) -> tuple[SpawnProcess, Connection]:
        ours, theirs = _CONTEXT.Pipe()
        process = _CONTEXT.Process(target=_work, args=(theirs, self._model), name="judge", daemon=True)
        process.start()
        theirs.close()
        try:
            failure = ours.recv()
        except EOFError:
            failure = JudgeFailedError("the judging process did not start")
        if failure is not None:
            process.join()
            raise failure
        return process, ours


def _work(connection: Connection, model: Path | None) -> None:
    """Judge batch after batch, until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which lets a batch end
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from crawlers.collecting import sparing_what_stays
    from guidewatch import composition

    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.suppress(EOFError, OSError))
        try:
            judge = composition.judge(composition.classifier(model))
            stack.enter_context(sparing_what_stays())
        except Exception as error:  # noqa: BLE001  the edge of the process: the parent raises it
            connection.send(error)
            return
        connection.send(None)
        while True:
            pages = connection.recv()
            try:
                answer: object = judge(pages)
            except Exception as error:  # noqa: BLE001  the edge of the process: the parent raises it
                answer = JudgeFailedError(f"{type(error).__name__}: {error}")
            connection.send(answer)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
