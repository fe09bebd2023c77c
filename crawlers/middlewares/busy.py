"""A host that says it is too busy is left alone for a while; others go on meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawlers.crawl import crawl_of
from crawlers.manners import BUSY, TRIES, Manners, retry_after_s
from crawlers.outcomes import RefusedError


class BusyMiddleware:
    """Sends requests to a paused host back to the scheduler, which holds them; they take no place of another host.

    Parameters
    ----------
    manners
        Knows which hosts are paused, by download slot.
    clock
        Returns the time as aware UTC, for Retry-After with a date.
    """

    def __init__(self, manners: Manners, clock: Callable[[], datetime]) -> None:
        self._manners = manners
        self._clock = clock

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> BusyMiddleware:
        """Build it for the running crawl."""
        crawl = crawl_of(crawler)
        return cls(crawl.manners, crawl.clock)

    def process_request(self, request: Request) -> Request | None:
        """Let ``request`` pass, or put it off where it is that of a row.

        Raises
        ------
        RefusedError
            ``host busy``: it was given up, or what cannot be put off was asked of it.
        """
        host = request.meta["download_slot"]
        if self._manners.has_given_up(host):
            raise RefusedError("host busy")
        if self._manners.wait_s(host) <= 0 or request.meta.get("is_robots"):
            return None
        if "row" not in request.meta:
            raise RefusedError("host busy")
        return request

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Note how the host answered; where it was too busy, ask again later, unless that was tried often enough."""
        host = request.meta["download_slot"]
        if response.status not in BUSY:
            self._manners.served(host)
            return response
        said = (response.headers.get("Retry-After") or b"").decode("latin-1")
        self._manners.turned_away(host, retry_after_s(said, self._clock()))
        tries = request.meta.get("turned_away", 0) + 1
        if "row" not in request.meta or tries > TRIES or self._manners.has_given_up(host):
            return response
        return request.replace(meta={**request.meta, "turned_away": tries})
