"""A file that is renewed while a process is well; a health check looks at its age."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_HEARTBEAT_S = 10.0


@contextmanager
def beating(path: Path | None, turned_at_s: Callable[[], float], shown: Callable[[], Any]) -> Iterator[None]:
    """Renew the file every ten seconds while the block runs and its work shows that it is alive.

    Parameters
    ----------
    path
        The file; None for none. It is removed at the end.
    turned_at_s
        Returns when the work last showed that it is alive, on the scale of ``time.monotonic``.
    shown
        Returns what is written into the file, as JSON.
    """
    if path is None:
        yield
        return
    import msgspec

    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(0 if not path.exists() else _HEARTBEAT_S):
            if time.monotonic() - turned_at_s() < 3 * _HEARTBEAT_S:
                path.write_bytes(msgspec.json.encode(shown()))

    thread = threading.Thread(target=beat, daemon=True, name="heartbeat")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        path.unlink(missing_ok=True)
