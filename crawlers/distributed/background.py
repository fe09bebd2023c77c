"""Work on a thread of its own that somebody waits for, or leaves behind: it keeps no process alive."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


def in_thread(function: Callable[[], Result], name: str) -> asyncio.Future[Result]:
    """Start ``function`` on a daemon thread and return its result to come.

    ``asyncio.to_thread`` would keep the process until the function returns, and one that waits for Kafka may not.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(result: list[Result], error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result[0])

    def run() -> None:
        result: list[Result] = []
        error: BaseException | None = None
        try:
            result.append(function())
        except BaseException as caught:  # noqa: BLE001 raised again where the result is awaited
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def within(seconds: float, function: Callable[[], Result], name: str) -> Result:
    """Return what ``function`` returns on a daemon thread, or raise what it raises.

    Raises
    ------
    TimeoutError
        It takes longer; it is left behind, and may go on.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 raised again where the result is awaited
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future.result(seconds)
