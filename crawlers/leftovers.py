"""What a crawl has left when it ends: each URL over a budget is refused, so that none vanishes."""

from __future__ import annotations

import asyncio
import time

from crawlers.crawl import RunningCrawl
from crawlers.frontier import Frontier

_BATCH = 500
_ANSWER_S = 3.0


async def refuse_leftovers(crawl: RunningCrawl, frontier: Frontier, *, limit_s: float | None) -> None:
    """Refuse what is queued, batch by batch, until nothing is left, the crawl is stopped, or time is up.

    Parameters
    ----------
    crawl, frontier
        The crawl, which fetches nothing more, and its URLs.
    limit_s
        Seconds for all; None for as long as it takes. A sink that does not settle a batch within 3 s ends it anyhow.
    """
    until = None if limit_s is None else time.monotonic() + limit_s
    rows = frontier.left(0, _BATCH)
    while rows and not crawl.stopping:
        seconds = _ANSWER_S if until is None else min(_ANSWER_S, until - time.monotonic())
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await crawl.refuse(rows)
        except TimeoutError:
            crawl.abandon()
            return
        rows = frontier.left(rows[-1].id, _BATCH)
