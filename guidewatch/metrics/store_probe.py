"""Whether the store answers: asked now and then on a thread of its own, so that no probe and no scrape waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import Metric

from guidewatch.metrics.families import gauge, one_of
from storage import StoreUnavailableError
from storage.port import StoreRejectedError

EVERY_S = 5.0
_LEAVING_S = 0.5
"""For an answer on its way, before the store is closed."""
HEALTHS = ("green", "yellow", "red", "ok")


class StoreProbe:
    """What the store last said of itself.

    Parameters
    ----------
    stage
        Whose store it is, for the metrics.
    health
        `storage.Store.health` of a store; called from another thread.
    """

    def __init__(self, stage: str, health: Callable[[], str]) -> None:
        self._stage = stage
        self._health = health
        self._ended = threading.Event()
        self._said = ""
        self.failure = "the store has not answered yet"
        """Why the store cannot be used, in one line; empty while it answers."""

    def look(self) -> None:
        """Ask the store now."""
        try:
            self._said, self.failure = self._health().partition(",")[0], ""
        except (StoreUnavailableError, StoreRejectedError, OSError) as error:
            self._said, self.failure = "", f"store: {error}"

    def families(self) -> Iterator[Metric]:
        """Yield the metric families."""
        labels = {"stage": self._stage}
        yield gauge("guidewatch_store_up", "1 while the store answers this process.", [(labels, not self.failure)])
        yield one_of("guidewatch_store_health", "1 for what the store says of itself.", labels, HEALTHS, self._said)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ask every few seconds while the block runs."""
        thread = threading.Thread(target=self._keep_looking, name="store-probe", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(_LEAVING_S)

    def _keep_looking(self) -> None:
        while not self._ended.is_set():
            self.look()
            self._ended.wait(EVERY_S)
