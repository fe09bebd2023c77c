"""What the topics ``crawls`` and ``crawl.progress`` say, folded; and when a crawl is over."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from events import CrawlShare, CrawlState, PartitionProgress


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What a crawl has in all partitions."""

    open: int = 0
    requested: int = 0
    spent: int = 0
    ended_spent: int = 0
    hosts: int = 0
    rate: float = 0.0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)


class CrawlsView:
    """The latest of every crawl and of every partition."""

    def __init__(self) -> None:
        self.crawls: dict[str, CrawlState] = {}
        self.progress: dict[int, PartitionProgress] = {}

    def apply(self, event: CrawlState | PartitionProgress) -> None:
        """Take in the next event of either topic."""
        if isinstance(event, CrawlState):
            self.crawls[event.crawl_id] = event
        else:
            self.progress[event.partition] = event

    def over(self, crawl_id: str) -> bool:
        """Return whether the crawl is known to have ended."""
        state = self.crawls.get(crawl_id)
        return state is not None and state.phase == "ended"

    def shares(self, crawl_id: str) -> Iterator[tuple[int, CrawlShare]]:
        """Yield (partition, share) of a crawl."""
        for partition, progress in list(self.progress.items()):
            if crawl_id in progress.crawls:
                yield partition, progress.crawls[crawl_id]

    def totals(self, crawl_id: str) -> Totals:
        """Return the sums over all partitions; of a crawl that is over, what it was closed with."""
        if self.over(crawl_id):
            state = self.crawls[crawl_id]
            return Totals(hosts=state.hosts, outcomes=state.outcomes, reasons=state.reasons)
        shares = [share for _, share in self.shares(crawl_id)]
        return Totals(
            open=sum(share.open for share in shares),
            requested=sum(share.requested for share in shares),
            spent=sum(share.spent for share in shares),
            ended_spent=sum(share.ended_spent for share in shares),
            hosts=sum(share.hosts for share in shares),
            rate=sum(share.rate for share in shares),
            outcomes=_summed([share.outcomes for share in shares]),
            reasons=_summed([share.reasons for share in shares]),
        )


def _summed(counts: list[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for some in counts:
        total.update(some)
    return dict(total)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A crawl that looked dry: what is to be seen again before it is over.

    Parameters
    ----------
    revision
        Id of the crawl's state.
    requested
        Requests for links ever sent out, over all partitions.
    ends
        End of each partition of ``crawl.requests``, uncommitted messages included, read after the crawl looked dry.
    """

    revision: str
    requested: int
    ends: Mapping[int, int] = dataclasses.field(default_factory=dict)


def looks_dry(view: CrawlsView, crawl_id: str, partitions: int) -> bool:
    """Return whether no partition says that it has an open request of the crawl."""
    return len(view.progress) >= partitions and not any(share.open for _, share in view.shares(crawl_id))


def is_over(view: CrawlsView, crawl_id: str, doubt: Doubt) -> bool:
    """Return whether a crawl that looks dry, and looked it at the time of ``doubt``, is over.

    A request can only come from an open one (or with a new revision). Each partition has read up to an end that was
    taken after all looked dry, has nothing open again, and none has sent anything meanwhile: so whatever was on its way
    at that time has been read and has ended, and nothing has followed from it (after Mattern 1987, four counters).
    """
    state = view.crawls[crawl_id]
    read = all(
        partition in view.progress and view.progress[partition].position >= end for partition, end in doubt.ends.items()
    )
    return read and state.id == doubt.revision and view.totals(crawl_id).requested == doubt.requested


def allowance(max_pages: int, here: Mapping[int, int], said: Mapping[int, int], spiders: int) -> int:
    """Return how many more pages a spider may take of a crawl before it hears from the others again.

    Each may take its part of what was left when all last said what they had spent, so that together they hardly
    overshoot.

    Parameters
    ----------
    max_pages
        Of the whole crawl.
    here
        Pages spent by partition of this spider, now.
    said
        Pages spent by partition, as last said.
    spiders
        How many there are.
    """
    left = max_pages - sum(said.values())
    taken = sum(here.values()) - sum(said.get(partition, 0) for partition in here)
    return left - taken if spiders <= 1 else -(-left // spiders) - taken
