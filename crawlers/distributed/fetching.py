"""The port from the half of a spider that is in the group to the half that fetches."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from crawlers.distributed.verdicts import Judged
from events import CrawlRequest, CrawlState, RequestDone


class Fetching(Protocol):
    """The other half of a spider; every call may come from any thread, and none of them waits."""

    def opened(self, partition: int, epoch: int, marks: Sequence[RequestDone]) -> None:
        """Take up a partition that has come, with the marks of what has ended in it."""

    def received(self, partition: int, epoch: int, requests: Sequence[tuple[int, CrawlRequest]]) -> None:
        """Queue requests, each with its offset; each is to be ended by a unit in time."""

    def changed(self, state: CrawlState) -> None:
        """Heed that a crawl has begun, or that its state has changed."""

    def judged(self, verdicts: Sequence[Judged]) -> None:
        """Learn from the scores of pages."""

    def closed(self, partition: int, *, lost: bool) -> Future[None]:
        """Fetch nothing more of a partition that goes; the future resolves when nothing of it is under way.

        Where it was lost, somebody else may have it already.
        """

    def spent(self, partition: int) -> dict[str, int]:
        """Return fetches that count against the budgets by crawl, those under way included."""
