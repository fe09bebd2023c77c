"""What a spider knows of one partition of ``crawl.requests``: which requests are open, and what each crawl has there.

Pure bookkeeping. Everything in it can be made again from the two topics, and is, when the partition moves.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping

from crawlers.distributed.unit import Unit
from events import CrawlShare, RequestDone

_RATE_S = 5.0


class _Share:
    __slots__ = ("ended", "ended_spent", "hosts", "open", "outcomes", "rate", "rated", "reasons", "requested")

    def __init__(self) -> None:
        self.open = 0
        self.requested = 0
        self.ended_spent = 0
        self.ended = 0
        self.rate = 0.0
        self.rated: tuple[float, int] | None = None
        self.hosts: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()


class PartitionLedger:
    """Open requests and counts of one partition.

    Parameters
    ----------
    position
        Offset of the next request to read.
    epoch
        Number of this ledger among those of the spider.
    """

    def __init__(self, position: int, epoch: int = 0) -> None:
        self.position = position
        self.epoch = epoch
        self.marks_from: int | None = None
        """Every mark before this offset of ``crawl.ended`` is of a crawl that is over; None where that is not known."""
        self._open: dict[int, str] = {}
        self._lowest: list[int] = []
        self._shares: dict[str, _Share] = {}

    @property
    def open(self) -> int:
        """How many requests have not ended."""
        return len(self._open)

    def restore(self, done: RequestDone) -> None:
        """Take in the mark of a URL that has ended, under whatever owner."""
        self._count(done, 1)

    def read(self, offset: int, crawl_id: str, host: str) -> None:
        """Note a request that was read; it is open until a unit ends it."""
        self.position = max(self.position, offset + 1)
        share = self._share(crawl_id)
        share.hosts.add(host)
        share.open += 1
        self._open[offset] = crawl_id
        heapq.heappush(self._lowest, offset)

    def settle(self, unit: Unit) -> list[tuple[int, str]]:
        """Count a unit that is about to be committed; return what `unsettle` needs if it is not."""
        ended = []
        for offset in unit.offsets:
            crawl_id = self._open.pop(offset)
            self._shares[crawl_id].open -= 1
            ended.append((offset, crawl_id))
        for done in unit.done:
            self._count(done, 1)
        return ended

    def unsettle(self, unit: Unit, ended: list[tuple[int, str]]) -> None:
        """Take a unit back: it was not committed."""
        for offset, crawl_id in ended:
            self._open[offset] = crawl_id
            self._shares[crawl_id].open += 1
            heapq.heappush(self._lowest, offset)
        for done in unit.done:
            self._count(done, -1)

    def low_water(self) -> int:
        """Return the offset below which every request has ended."""
        while self._lowest and self._lowest[0] not in self._open:
            heapq.heappop(self._lowest)
        return self._lowest[0] if self._lowest else self.position

    def forget(self, crawl_id: str) -> None:
        """Drop the counts of a crawl that is over."""
        share = self._shares.get(crawl_id)
        if share is not None and not share.open:
            del self._shares[crawl_id]

    @property
    def has_marks(self) -> bool:
        """Return whether a crawl that goes on has marks here."""
        return any(share.ended for share in self._shares.values())

    def shares(self, now_s: float, spent: Mapping[str, int]) -> dict[str, CrawlShare]:
        """Return what each crawl has here; ``spent`` has the fetches of each, with those under way."""
        return {crawl_id: _shown(share, now_s, spent.get(crawl_id, 0)) for crawl_id, share in self._shares.items()}

    def _share(self, crawl_id: str) -> _Share:
        share = self._shares.get(crawl_id)
        if share is None:
            share = self._shares[crawl_id] = _Share()
        return share

    def _count(self, done: RequestDone, sign: int) -> None:
        share = self._share(done.crawl_id)
        share.hosts.add(done.host)
        share.ended += sign
        share.requested += sign * done.requested
        share.ended_spent += sign * done.counts
        share.outcomes[done.outcome] += sign
        if done.reason:
            share.reasons[f"{done.outcome}: {done.reason}"] += sign


def _shown(share: _Share, now_s: float, spent: int) -> CrawlShare:
    if share.rated is None or now_s - share.rated[0] >= _RATE_S:
        if share.rated is not None:
            share.rate = (share.ended - share.rated[1]) / (now_s - share.rated[0])
        share.rated = (now_s, share.ended)
    return CrawlShare(
        open=share.open,
        requested=share.requested,
        spent=max(spent, share.ended_spent),
        ended_spent=share.ended_spent,
        hosts=len(share.hosts),
        rate=round(share.rate, 1),
        outcomes={name: count for name, count in share.outcomes.items() if count},
        reasons={name: count for name, count in share.reasons.items() if count},
    )
