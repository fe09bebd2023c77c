from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from crawlers.endings import Ending, Fetched
from crawlers.frontier import Kind, Row
from crawlers.reading import Reader
from events import PageFound, UrlEnded, decode, encode, page_id

AT = datetime(2026, 1, 2, tzinfo=UTC)
URL = "https://example.org/page"
READER = Reader("crawl", max_bytes=1_000_000, max_depth=2)
HTML = b"<title>T</title><p>Some words that make a page.</p><a href=/next>n</a>"


def row(depth: int = 0, kind: Kind = Kind.PAGE) -> Row:
    return Row(1, page_id(URL), URL, "example.org", depth, "https://example.org/", kind)


def read(body: bytes = HTML, *, depth: int = 0, kind: Kind = Kind.PAGE, **values: Any) -> Ending:
    given = {"url": URL, "status": 200, "content_type": "text/html", "content_language": "", "at": AT, **values}
    return asyncio.run(READER.read(row(depth, kind), Fetched(body=body, **given)))


def test_a_page_becomes_an_event_that_can_be_sent() -> None:
    event = read(content_language="es, fr").event
    assert isinstance(event, PageFound)
    assert (event.title, event.page_id, event.host, event.media_type) == ("T", page_id(URL), "example.org", "text/html")
    assert event.language_hint == "es"
    assert event.parent_url == "https://example.org/"
    assert decode(encode(event)) == event


def test_the_same_page_of_the_same_crawl_has_the_same_event_id() -> None:
    assert read().event.id == read(at=AT.replace(hour=5)).event.id


@pytest.mark.parametrize(
    ("values", "outcome", "reason"),
    [
        ({"status": 404}, "failed", "status 404"),
        ({"status": 503}, "failed", "status 503"),
        ({"status": 304}, "failed", "status 304"),
        ({"body": b" \n"}, "unsupported", "empty"),
        ({"body": b"<html><body><img src=x></body></html>"}, "unsupported", "no text"),
        ({"body": b"\x89PNG\r\n\0\0", "content_type": "image/png"}, "unsupported", "media type image/png"),
        ({"body": b"%PDF-1.7 broken", "content_type": "application/pdf"}, "unsupported", "pdf cannot be parsed"),
        ({"body": b"<rss><item><link>/a</link></item></rss>"}, "unsupported", "feed"),
        ({"kind": Kind.SOURCE}, "unsupported", "not a sitemap or feed"),
    ],
)
def test_what_is_no_page_ends_with_a_reason(values: dict[str, Any], outcome: str, reason: str) -> None:
    event = read(**values).event
    assert isinstance(event, UrlEnded)
    assert (event.outcome, event.reason) == (outcome, reason)
    assert decode(encode(event)) == event


def test_links_stop_at_the_depth_limit_and_are_counted() -> None:
    assert [(link.url, link.depth) for link in read(depth=1).links] == [("https://example.org/next", 2)]
    ending = read(depth=2)
    assert (list(ending.links), ending.beyond_depth) == ([], 1)


def test_after_a_redirect_the_event_is_that_of_the_final_url() -> None:
    event = read(url="https://example.org/final", chain=(URL,)).event
    assert isinstance(event, PageFound)
    assert event.page_id == page_id("https://example.org/final")
    assert event.redirected_from == (URL,)


def test_an_ending_in_a_log_line_shows_no_text_of_the_page():
    """Scrapy logs the item when a pipeline fails (DESIGN §2)."""
    import dataclasses

    assert {each.name for each in dataclasses.fields(Ending) if each.name == "event" and each.repr} == set()
