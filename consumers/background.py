"""A call on a thread of its own, which can be waited for in pieces, and left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Call(Generic[Result]):
    """Starts at once. The thread is a daemon: it does not keep the process alive.

    Parameters
    ----------
    function
        Called once, with no arguments.
    name
        Of the thread.
    """

    def __init__(self, function: Callable[[], Result], name: str) -> None:
        self._function = function
        self._done = threading.Event()
        self._results: list[Result] = []
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            self._error = error
        finally:
            self._done.set()

    def wait(self, timeout_s: float) -> bool:
        """Return whether the call has ended, waiting so many seconds at the most."""
        return self._done.wait(timeout_s)

    def result(self) -> Result:
        """Return what the function returned, or raise what it raised. Only after `wait` said True."""
        if self._error is not None:
            raise self._error
        return self._results[0]
