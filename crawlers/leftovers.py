"""What a crawl has left when it ends: each URL over a budget is refused, so that none vanishes."""

from __future__ import annotations

import asyncio

from crawlers.crawl import RunningCrawl
from crawlers.frontier import Frontier, Row

_ROWS = 2_000
_BATCH = 500
_ANSWER_S = 5.0


async def refuse_leftovers(crawl: RunningCrawl, frontier: Frontier) -> None:
    """Refuse what is queued, until nothing is left, the crawl is stopped, or the sink settles nothing for 5 s.

    Batches are with the sink at the same time, so that it can fill its own, and each is marked when it is durable.

    Parameters
    ----------
    crawl, frontier
        The crawl, which fetches nothing more, and its URLs.
    """
    rows = frontier.left(0, _ROWS)
    while rows and not crawl.stopping:
        if not await _refuse(crawl, rows):
            return
        crawl.save()
        rows = frontier.left(rows[-1].id, _ROWS)


async def _refuse(crawl: RunningCrawl, rows: list[Row]) -> bool:
    """Refuse ``rows``; return whether the sink has answered for all."""
    batches = {asyncio.create_task(crawl.refuse(rows[n : n + _BATCH])) for n in range(0, len(rows), _BATCH)}
    waiting = len(rows)
    while batches:
        done, batches = await asyncio.wait(batches, timeout=_ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
        for batch in done:
            batch.result()
        if not done and crawl.outstanding >= waiting:
            crawl.abandon()
            await asyncio.wait(batches)
            return False
        waiting = crawl.outstanding
    return True
