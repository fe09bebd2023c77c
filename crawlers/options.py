"""How one run of a crawl sits in its process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from crawlers.guard.resolver import Lookup
from crawlers.progress import ProgressCallback


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run sits in its process.

    Parameters
    ----------
    on_progress
        Called about twice a second, in the thread of `run_crawl`.
    stop
        When set, by whatever thread, the crawl stops as on SIGTERM.
    handle_signals
        Take SIGTERM and SIGINT for the time of the run; only possible in the main thread.
    clock
        Returns the time as aware UTC.
    lookup
        Name resolution; None for the system's.
    """

    on_progress: ProgressCallback | None = None
    stop: threading.Event | None = None
    handle_signals: bool = True
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    lookup: Lookup | None = None
