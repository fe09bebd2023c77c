"""The WARC files of a crawl, read by strangers' tools."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from hashlib import sha256
from types import SimpleNamespace

import fastwarc
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from crawlers.plan import CrawlPlan
from crawlers.run import run_crawl
from events import PageFound
from tests.integration.crawlers.sinks import ListSink
from tests.integration.crawlers.site import Answer, Site, html, moved


def test_everything_fetched_is_in_the_warc_as_it_was_on_the_wire(
    start_site: Callable[..., Site], plan_for: Callable[..., CrawlPlan]
) -> None:
    packed = gzip.compress(b"<p>some packed words")
    site = start_site(
        {
            "/robots.txt": Answer(b"User-agent: *\nAllow: /"),
            "/": html("start", "/packed", "/hop", "/404"),
            "/packed": Answer(packed, headers=(("Content-Type", "text/html"), ("Content-Encoding", "gzip"))),
            "/hop": moved("/packed"),
        }
    )
    sink = ListSink()
    plan = plan_for(site)
    run_crawl(plan, sink)
    (path,) = (plan.data_dir / "warc").iterdir()
    checker = Checker(SimpleNamespace(inputs=[str(path)], verbose=False))
    checker.process_all()
    assert checker.exit_value == 0

    with path.open("rb") as file:
        found = [
            (record.rec_type, record.rec_headers.get_header("WARC-Target-URI"), record.raw_stream.read())
            for record in ArchiveIterator(file)
        ]
    responses = [(uri, body) for kind, uri, body in found if kind == "response"]
    assert sorted(uri for uri, _ in responses) == sorted(
        site.url(p) for p in ("/robots.txt", "/", "/packed", "/hop", "/packed", "/404")
    )
    assert dict(responses)[site.url("/packed")] == packed
    assert [kind for kind, *_ in found].count("request") == len(responses)

    pages = {event.url: event for event in sink.events if isinstance(event, PageFound)}
    assert pages[site.url("/packed")].text == "some packed words"
    for page in pages.values():
        assert page.evidence is not None
        with path.open("rb") as file:
            file.seek(page.evidence.offset)
            record = next(iter(fastwarc.ArchiveIterator(file)))
            assert record.headers["WARC-Target-URI"] == page.url
            record.parse_http()
            body = record.reader.read()
        if page.url == site.url("/"):
            assert sha256(body).hexdigest() == page.evidence.sha256


def test_a_file_that_was_cut_short_does_not_disturb_the_next_run(
    start_site: Callable[..., Site], plan_for: Callable[..., CrawlPlan]
) -> None:
    site = start_site({"/": html("start")})
    plan = plan_for(site)
    run_crawl(plan, ListSink())
    (first,) = (plan.data_dir / "warc").iterdir()
    first.write_bytes(first.read_bytes()[:-20])
    cut = first.read_bytes()
    sink = ListSink()
    run_crawl(plan, sink)
    assert sink.outcomes() == {"/": "page"}
    assert len(list((plan.data_dir / "warc").iterdir())) == 2
    assert first.read_bytes() == cut
