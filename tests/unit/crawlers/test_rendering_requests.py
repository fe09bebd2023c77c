from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scrapy.http import Response

from crawlers.extraction.worker import Document
from crawlers.outcomes import RefusedError
from crawlers.rendering.requests import PageRequests

PAGE = Document(False, "https://example.org/", "text/html; charset=koi8-r", b"the page")


class Asked:
    """A request as Playwright has it."""

    def __init__(self, url: str, kind: str = "fetch", method: str = "GET") -> None:
        self.url, self.resource_type, self.method = url, kind, method

    def is_navigation_request(self) -> bool:
        return self.resource_type == "document"


class Route:
    """Remembers how a request was answered."""

    def __init__(self, request: Asked) -> None:
        self.request = request
        self.answered: dict[str, Any] | str = ""

    async def fulfill(self, **values: Any) -> None:
        self.answered = values

    async def abort(self, why: str) -> None:
        self.answered = why


def answers(*asked: Asked, fetch: Any = None, max_bytes: int = 1_000) -> list[dict[str, Any] | str]:
    """Return how the requests of a page that has been opened are answered, one after the other."""

    async def found(url: str) -> Response:
        return Response(url, headers={"Content-Type": "text/plain", "Set-Cookie": "a=b"}, body=b"0123456789")

    async def ask() -> list[dict[str, Any] | str]:
        requests = PageRequests(PAGE, fetch or found, max_bytes)
        routes = [Route(request) for request in (Asked(PAGE.url, "document"), *asked)]
        for route in routes:
            await requests.answer(route)  # type: ignore[arg-type]
        return [route.answered for route in routes]

    return asyncio.run(ask())


def test_the_page_itself_is_not_fetched_again() -> None:
    async def never(url: str) -> Response:
        raise AssertionError(url)

    assert answers(fetch=never) == [
        {"status": 200, "headers": {"content-type": "text/html; charset=koi8-r"}, "body": b"the page"}
    ]


@pytest.mark.parametrize("kind", ["script", "xhr", "fetch"])
def test_scripts_and_data_are_fetched_without_their_cookies(kind: str) -> None:
    assert answers(Asked("https://example.org/x", kind))[1] == {
        "status": 200,
        "headers": {"content-type": "text/plain"},
        "body": b"0123456789",
    }


@pytest.mark.parametrize(
    "asked",
    [
        Asked("https://example.org/x", "image"),
        Asked("https://example.org/x", "stylesheet"),
        Asked("https://example.org/x", "websocket"),
        Asked("https://example.org/x", "eventsource"),
        Asked("https://example.org/x", "ping", "POST"),
        Asked("https://example.org/x", "fetch", "POST"),
    ],
)
def test_the_rest_is_turned_down(asked: Asked) -> None:
    assert answers(asked)[1] == "blockedbyclient"


def test_the_page_stays_where_it_is() -> None:
    assert answers(Asked("https://example.org/away", "document"))[1] == {"status": 204}


def test_what_the_crawl_refuses_is_turned_down() -> None:
    async def refuse(url: str) -> Response:
        raise RefusedError("robots")

    assert answers(Asked("https://example.org/x"), fetch=refuse)[1] == "blockedbyclient"


def test_a_page_gets_so_many_bytes_and_answers_and_no_more() -> None:
    asked = [Asked(f"https://example.org/{n}") for n in range(60)]
    assert [type(answer) for answer in answers(*asked[:4], max_bytes=25)[1:]] == [dict, dict, str, str]
    assert sum(isinstance(answer, dict) for answer in answers(*asked)[1:]) == 40
