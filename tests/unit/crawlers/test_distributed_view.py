from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from crawlers.distributed.view import CrawlsView, Doubt, allowance, is_over, looks_dry
from events import CrawlShare, CrawlState, PartitionProgress

AT = datetime(2026, 3, 1, tzinfo=UTC)


def state(**values: object) -> CrawlState:
    given = {
        "id": "r1",
        "at": AT,
        "crawl_id": "c",
        "started_at": AT,
        "contact": "",
        "user_agent": "guidewatch/0.1",
        "max_pages": 10,
        "max_pages_per_host": 10,
        "max_depth": 3,
        "delay_s": 1.0,
        "timeout_s": 30.0,
        "max_bytes": 1_000,
    }
    return CrawlState(**(given | values))


def progress(partition: int, position: int, share: CrawlShare | None = None) -> PartitionProgress:
    crawls = {"c": share} if share is not None else {}
    return PartitionProgress(at=AT, partition=partition, position=position, spider="s", crawls=crawls)


def view(*events: CrawlState | PartitionProgress) -> CrawlsView:
    made = CrawlsView()
    for event in (state(), *events):
        made.apply(event)
    return made


def test_totals_are_the_sums_of_the_latest_of_each_partition() -> None:
    made = view(
        progress(0, 5, CrawlShare(open=9, outcomes={"page": 1})),
        progress(
            0, 7, CrawlShare(open=1, requested=4, spent=3, ended_spent=2, hosts=1, rate=1.5, outcomes={"page": 2})
        ),
        progress(
            1, 2, CrawlShare(open=2, requested=1, spent=1, ended_spent=1, hosts=2, rate=0.5, outcomes={"page": 1})
        ),
        progress(2, 2),
    )
    totals = made.totals("c")
    assert (totals.open, totals.requested, totals.spent, totals.ended_spent) == (3, 5, 4, 3)
    assert (totals.hosts, totals.rate, totals.outcomes) == (3, 2.0, {"page": 3})


def test_a_crawl_that_is_over_has_the_counts_that_it_was_closed_with() -> None:
    made = view(progress(0, 5, CrawlShare(open=1, outcomes={"page": 7})))
    assert not made.over("c")
    made.apply(state(phase="ended", outcomes={"page": 8}, hosts=3))
    assert made.over("c")
    assert (made.totals("c").outcomes, made.totals("c").hosts, made.totals("c").open) == ({"page": 8}, 3, 0)


def test_a_crawl_is_not_dry_while_a_partition_is_silent_or_has_an_open_request() -> None:
    made = view(progress(0, 5))
    assert not looks_dry(made, "c", 2)
    made.apply(progress(1, 5, CrawlShare(open=1)))
    assert not looks_dry(made, "c", 2)
    made.apply(progress(1, 6, CrawlShare(open=0)))
    assert looks_dry(made, "c", 2)


def test_a_dry_crawl_is_over_when_all_has_been_read_that_was_there_when_it_looked_so() -> None:
    made = view(progress(0, 5, CrawlShare(requested=3)), progress(1, 5))
    doubt = Doubt("r1", 3, {0: 5, 1: 6})
    assert not is_over(made, "c", doubt), "partition 1 has a message that was not read"
    made.apply(progress(1, 6))
    assert is_over(made, "c", doubt)


def test_a_request_that_was_sent_meanwhile_keeps_a_crawl_going() -> None:
    made = view(progress(0, 5, CrawlShare(requested=3)), progress(1, 5))
    doubt = Doubt("r1", 3, {0: 5, 1: 5})
    made.apply(progress(0, 6, CrawlShare(requested=4)))
    assert not is_over(made, "c", doubt)


def test_seeds_that_were_added_meanwhile_keep_a_crawl_going() -> None:
    made = view(progress(0, 5), progress(1, 5))
    doubt = Doubt("r1", 0, {0: 5, 1: 5})
    assert is_over(made, "c", doubt)
    made.apply(msgspec.structs.replace(state(), id="r2", requested=2))
    assert not is_over(made, "c", doubt)


def test_a_spider_alone_may_take_all_that_is_left() -> None:
    assert allowance(10, {0: 4}, {0: 3, 1: 2}, 1) == 4
    assert allowance(10, {}, {}, 1) == 10
    assert allowance(10, {0: 10}, {0: 3}, 1) == 0


def test_several_spiders_take_no_more_than_their_part_until_they_hear_from_each_other() -> None:
    assert allowance(100, {0: 10}, {0: 10, 1: 30}, 3) == 20
    assert allowance(100, {0: 30}, {0: 10, 1: 30}, 3) == 0
    assert allowance(100, {0: 50}, {0: 50, 1: 49}, 3) == 1, "one of them must be able to take the last"
    assert allowance(100, {0: 50}, {0: 50, 1: 50}, 3) == 0
