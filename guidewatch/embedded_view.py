"""How an embedded installation is doing, for people and for metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from crawlers.progress import CrawlProgress
    from guidewatch.embedded import EmbeddedSink


class EmbeddedView:
    """The latest of an embedded installation; the crawl's thread notes it, any thread may read it.

    Parameters
    ----------
    clock_s
        Returns seconds, on the scale of ``time.monotonic``.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self.state: Literal["starting", "crawling", "idle"] = "starting"
        self.sink: EmbeddedSink | None = None
        """What judges and stores; None before the first crawl."""
        self.progress: CrawlProgress | None = None
        """Of the crawl under way, or the last one."""
        self.noted_at_s = clock_s()
        """When the crawl under way last told how far it is."""

    @contextmanager
    def crawling(self, sink: EmbeddedSink) -> Iterator[None]:
        """Note that a crawl into ``sink`` is under way while the block runs."""
        self.sink, self.progress, self.noted_at_s = sink, None, self._clock_s()
        self.state = "crawling"
        try:
            yield
        finally:
            self.state = "idle"

    def note(self, progress: CrawlProgress) -> None:
        """Note how far the crawl is."""
        self.progress, self.noted_at_s = progress, self._clock_s()

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Events made durable by this process, by outcome."""
        return self.sink.outcomes if self.sink is not None else {}
