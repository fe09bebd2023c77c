from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawlers.distributed.partition_crawl import KnowingFrontier, PartitionCrawl
from crawlers.distributed.surroundings import Place, Surroundings
from crawlers.distributed.turns import HostTurns
from crawlers.distributed.unit import Unit
from crawlers.endings import Ending
from crawlers.evidence import WarcFiles
from crawlers.extraction.process import ExtractionProcess
from crawlers.focus.features import features_of
from crawlers.frontier import Row
from crawlers.identity import to_link
from crawlers.plan import CrawlPlan
from events import CrawlRequest, PageFound, RequestDone, Topics, UrlEnded, content_id, decode, new_id, page_id

AT = datetime(2026, 3, 1, tzinfo=UTC)
TOPICS = Topics("t")


class Kept:
    """Takes units, and commits them at once unless it is told to hold them."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.holds = False

    def put(self, unit: Unit) -> Future[None]:
        self.units.append(unit)
        if not self.holds:
            unit.durable.set_result(None)
        return unit.durable


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def made(tmp_path: Path, kept: Kept) -> Iterator[Callable[..., PartitionCrawl]]:
    crawls = []

    def make(**values: object) -> PartitionCrawl:
        given = {"seeds": ("http://127.0.0.1/",), "crawl_id": "c", "data_dir": tmp_path, "focus": "off"} | values
        around = Surroundings(
            topics=TOPICS,
            put=kept.put,
            may_fetch=lambda: True,
            has_room=lambda: True,
            turns=HostTurns(),
            evidence=WarcFiles(tmp_path / "warc", f"w{len(crawls)}", software="t", clock=lambda: AT),
            documents=ExtractionProcess(),
            clock=lambda: AT,
        )
        frontier = KnowingFrontier(tmp_path / f"{len(crawls)}.sqlite")
        crawl = PartitionCrawl(CrawlPlan(**given), frontier, around, Place(3, 1, 0.0))
        crawls.append((frontier, around))
        return crawl

    yield make
    for frontier, around in crawls:
        frontier.close()
        around.evidence.close()
        around.documents.close()


def request(path: str, parent: str | None = None) -> CrawlRequest:
    url = f"http://127.0.0.1{path}"
    return CrawlRequest(
        id=new_id(), at=AT, url=url, page_id=page_id(url), host="127.0.0.1", crawl_id="c", parent_url=parent
    )


def page_of(row: Row, text: str = "text") -> PageFound:
    return PageFound(
        id=new_id(),
        at=AT,
        page_id=row.page_id,
        url=row.url,
        host=row.host,
        crawl_id="c",
        content_id=content_id(text),
        fetched_at=AT,
        title="",
        text=text,
    )


def mark(path: str, **values: object) -> RequestDone:
    given = {"crawl_id": "c", "page_id": request(path).page_id, "host": "127.0.0.1", "outcome": "page"} | values
    return RequestDone(**given)


def test_a_page_its_links_its_mark_and_its_offset_go_out_together(made, kept: Kept) -> None:
    crawl = made()
    crawl.receive([(7, request("/"))])
    row = crawl.next_row()
    links = [to_link(url, 1) for url in ("http://127.0.0.1/a", "http://other.example/b")]
    asyncio.run(crawl.settle(Ending(row=row, event=page_of(row), links=links)))
    (unit,) = kept.units
    assert (unit.partition, unit.epoch, list(unit.offsets)) == (3, 1, [7])
    assert [message.topic for message in unit.messages] == [TOPICS.crawl_requests] * 2 + [TOPICS.pages_found]
    asked = [decode(message.value, CrawlRequest) for message in unit.messages[:2]]
    assert [(one.url, one.parent_url, one.depth) for one in asked] == [(link.url, row.url, 1) for link in links]
    assert [message.key for message in unit.messages[:2]] == [b"127.0.0.1", b"other.example"]
    (done,) = unit.done
    assert (done.outcome, done.requested, done.counts, done.page_id) == ("page", 2, True, row.page_id)
    assert crawl.open == crawl.unended == 0


def test_a_link_goes_out_once_and_what_is_here_already_not_at_all(made, kept: Kept) -> None:
    crawl = made()
    crawl.receive([(0, request("/")), (1, request("/a"))])
    for _ in range(2):
        row = crawl.next_row()
        crawl.release(row)
        links = [to_link(f"http://127.0.0.1{path}", 1) for path in ("/a", "/b")]
        asyncio.run(crawl.settle(Ending(row=row, event=page_of(row, row.url), links=links)))
    sent = [m for unit in kept.units for m in unit.messages if m.topic == TOPICS.crawl_requests]
    assert [decode(message.value).url for message in sent] == ["http://127.0.0.1/b"]


def test_a_request_for_what_is_known_ends_with_its_offset_alone(made, kept: Kept) -> None:
    crawl = made()
    crawl.restore([mark("/done")])
    crawl.receive([(0, request("/")), (1, request("/")), (2, request("/done"))])
    (unit,) = kept.units
    assert (list(unit.offsets), unit.size) == ([1, 2], 0)
    assert crawl.open == 1


def test_what_ended_under_another_owner_is_not_claimed_by_a_redirect(made, kept: Kept) -> None:
    crawl = made()
    crawl.restore([mark("/target")])
    crawl.receive([(0, request("/"))])
    row = crawl.next_row()
    target = request("/target")
    event = page_of(row._replace(url=target.url, page_id=target.page_id))
    asyncio.run(crawl.settle(Ending(row=row, event=event, chain=(row.url,))))
    (unit,) = kept.units
    ends = [decode(message.value) for message in unit.messages]
    assert [(type(end), end.url) for end in ends] == [(UrlEnded, row.url)]
    assert ends[0].reason == "redirect"


def test_what_is_known_of_others_takes_no_verdict_and_leaves_alone_what_is_queued_here(tmp_path: Path) -> None:
    frontier = KnowingFrontier(tmp_path / "known.sqlite")
    here, elsewhere = page_id("http://127.0.0.1/here"), page_id("http://127.0.0.1/elsewhere")
    ((number, _),) = frontier.enqueue([to_link("http://127.0.0.1/here", 0)], None)
    frontier.know([here, elsewhere])
    assert [(each.id, each.citing) for each in frontier.cite([here, elsewhere], 0.9, 0, 9)] == [(number, 1)]
    frontier.close()


def test_budgets_and_texts_count_what_ended_under_another_owner(made, kept: Kept) -> None:
    crawl = made(max_pages_per_host=2)
    crawl.restore([mark("/one", counts=True, content_id=content_id("same"))])
    crawl.receive([(0, request("/a")), (1, request("/b"))])
    row = crawl.next_row()
    asyncio.run(crawl.settle(Ending(row=row, event=page_of(row, "same"))))
    (event,) = [decode(m.value) for m in kept.units[0].messages]
    assert (event.outcome, event.reason) == ("duplicate", "same text")
    assert crawl.next_row() is None
    assert crawl.is_stuck
    asyncio.run(crawl.refuse_rest())
    (rest,) = [decode(m.value) for m in kept.units[1].messages]
    assert (rest.url, rest.outcome, rest.reason) == ("http://127.0.0.1/b", "refused", "budget: host")
    assert crawl.open == 0
    assert not crawl.is_stuck


def test_nothing_is_taken_when_the_whole_crawl_is_at_its_limit(made) -> None:
    crawl = made(max_pages=5)
    crawl.receive([(0, request("/"))])
    crawl.allowance = lambda: 0
    assert crawl.next_row() is None
    assert not crawl.is_stuck, "the rest is refused when the crawl is told to end, not before"
    crawl.allowance = lambda: 1
    assert crawl.next_row() is not None


def test_pages_that_are_fetched_read_and_stored_are_bounded_in_all(made, kept: Kept) -> None:
    crawl = made(max_unended=3, concurrency=1, concurrency_per_host=9)
    crawl.receive([(number, request(f"/{number}")) for number in range(5)])
    first, *_ = [crawl.next_row() for _ in range(3)]
    crawl.release(first)
    assert crawl.next_row() is None, "its connection is free, but it is still being read"
    asyncio.run(crawl.settle(Ending(row=first, event=page_of(first))))
    assert crawl.next_row() is not None
    assert crawl.next_row() is None


@pytest.mark.parametrize(("ended", "ahead"), [(0, 2), (20, 5), (80, 10), (10_000, 40)])
def test_a_focused_crawl_runs_further_ahead_the_more_verdicts_it_has(made, ended: int, ahead: int) -> None:
    crawl = made(focus="soft", concurrency=2, concurrency_per_host=99, max_unended=40)
    crawl.receive([(number, request(f"/{number}")) for number in range(50)])
    crawl.ended_now = ended
    taken = 0
    while crawl.next_row() is not None:
        taken += 1
    assert taken == ahead


def test_what_is_being_committed_is_not_refused_as_well(made, kept: Kept) -> None:
    crawl = made()
    crawl.receive([(0, request("/")), (1, request("/a"))])

    async def stop_while_committing() -> None:
        kept.holds = True
        row = crawl.next_row()
        settling = asyncio.create_task(crawl.settle(Ending(row=row, event=page_of(row))))
        await asyncio.sleep(0)
        settling.cancel()
        await asyncio.gather(settling, return_exceptions=True)
        crawl.let_go()
        kept.holds = False
        await crawl.refuse_rest("stopped")
        kept.units[0].durable.set_result(None)
        await asyncio.sleep(0.01)
        await crawl.refuse_rest("stopped")

    asyncio.run(stop_while_committing())
    ended = [decode(m.value).url for unit in kept.units for m in unit.messages]
    assert sorted(ended) == ["http://127.0.0.1/", "http://127.0.0.1/a"]


def test_a_partition_that_has_gone_publishes_nothing_more(made, kept: Kept) -> None:
    crawl = made()
    crawl.receive([(0, request("/"))])
    row = crawl.next_row()
    crawl.abandon()
    asyncio.run(crawl.settle(Ending(row=row, event=page_of(row))))
    crawl.receive([(1, request("/"))])
    assert kept.units == []


def test_rows_know_the_page_that_they_were_found_on(made) -> None:
    crawl = made()
    crawl.receive([(0, request("/a", parent="http://other.example/"))])
    assert crawl.next_row().parent_url == "http://other.example/"


def test_in_a_focused_crawl_links_of_a_page_of_concern_go_first(made, kept: Kept) -> None:
    crawl = made(focus="soft", concurrency=8)
    crawl.receive([(0, request("/")), (1, request("/start"))])
    for links in (("/poor-1", "/poor-2"), ("/good-1", "/good-2")):
        row = crawl.next_row()
        crawl.release(row)
        found = [
            to_link(f"http://127.0.0.1{path}", 1)._replace(
                features=features_of(f"http://127.0.0.1{path}", path[1:5], "", same_host=True)
            )
            for path in links
        ]
        asyncio.run(crawl.settle(Ending(row=row, event=page_of(row, row.url), links=found)))
    sent = [decode(m.value) for unit in kept.units for m in unit.messages if m.topic == TOPICS.crawl_requests]
    assert all(one.features for one in sent)
    crawl.receive([(10 + number, one) for number, one in enumerate(sent)])
    crawl.judged(request("/").page_id, 0.01)
    crawl.judged(request("/start").page_id, 0.99)
    order = []
    for _ in range(4):
        row = crawl.next_row()
        crawl.release(row)
        order.append(row.url.rpartition("/")[2])
    assert set(order[:2]) == {"good-1", "good-2"}
