"""robots.txt by RFC 9309, once per origin and crawl."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any

from protego import Protego
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from crawlers.crawl import RunningCrawl, crawl_of
from crawlers.frontier import FrontierError, Kind
from crawlers.identity import origin, to_link
from crawlers.manners import BUSY, MAX_CRAWL_DELAY_S, TRIES
from crawlers.outcomes import CrawlStoppedError, RefusedError, TooManyRedirectsError
from crawlers.throttle import keep_delay

logger = logging.getLogger(__name__)

_MAX_BYTES = 512_000


class RobotsMiddleware:
    """Asks an origin's robots.txt before the first page, and queues the sitemaps that it names.

    Status 4xx, or too many redirects: everything is allowed. Status 5xx: nothing is (RFC 9309, 2.3.1.4). Unreachable:
    each page of the origin ends with the reason why robots.txt could not be fetched, without a further attempt. Status
    429 and 503 are asked again when the host's pause is over, and count as 5xx in the end.

    Crawl-delay and Request-rate are kept, up to `MAX_CRAWL_DELAY_S`.

    Parameters
    ----------
    crawler
        Whose engine fetches robots.txt, through the same guard.
    crawl
        Takes the sitemaps.
    token
        The product token that groups are matched against.
    """

    def __init__(self, crawler: Crawler, crawl: RunningCrawl, token: str) -> None:
        self._crawler = crawler
        self._crawl = crawl
        self._token = token
        self._rules: dict[str, asyncio.Task[Protego | Exception]] = {}
        self._tries: Counter[str] = Counter()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        """Build it for the running crawl."""
        crawl = crawl_of(crawler)
        return cls(crawler, crawl, crawl.plan.robots_token)

    async def process_request(self, request: Request) -> Request | None:
        """Let ``request`` pass if its origin's robots.txt does; put it off while the host is too busy to tell.

        Raises
        ------
        RefusedError
            ``robots``, or ``robots unavailable``.
        """
        if request.meta.get("is_robots"):
            return None
        home = origin(request.url)
        task = self._rules.get(home)
        if task is None:
            task = self._rules[home] = asyncio.create_task(self._fetch(home, request))
        rules = await asyncio.shield(task)
        if isinstance(rules, _BusyError):
            if self._rules.get(home) is task:
                del self._rules[home]
            if "row" not in request.meta:
                raise RefusedError("robots unavailable")
            return request
        if isinstance(rules, Exception):
            raise rules.with_traceback(None)
        if not rules.can_fetch(request.url, self._token):
            raise RefusedError("robots")
        return None

    async def _fetch(self, home: str, page: Request) -> Protego | Exception:
        request = Request(f"{home}/robots.txt", callback=NO_CALLBACK, meta={"is_robots": True})
        try:
            response: Response = await self._crawler.engine.download_async(request)
        except TooManyRedirectsError:
            return Protego.parse("")
        except CrawlStoppedError as error:
            return error
        except Exception as error:  # noqa: BLE001 whatever it was, it is the outcome of every page of the origin
            return error
        if response.status in BUSY and self._tries[home] < TRIES:
            self._tries[home] += 1
            return _BusyError()
        if response.status >= 500 or response.status in BUSY:
            return RefusedError("robots unavailable")
        if not 200 <= response.status < 300:
            return Protego.parse("")
        rules = Protego.parse(response.body[:_MAX_BYTES].decode("utf-8", "replace"))
        self._slow_down(rules, page.meta["download_slot"])
        sitemaps = rules.sitemaps if self._crawl.plan.max_depth > 0 else ()
        links = [to_link(url, _depth(page.meta), kind=Kind.SOURCE) for url in sitemaps]
        try:
            self._crawl.add([link for link in links if link is not None])
        except FrontierError as error:
            return error
        return rules

    def _slow_down(self, rules: Protego, host: str) -> None:
        rate = rules.request_rate(self._token)
        asked = max(rules.crawl_delay(self._token) or 0.0, rate.seconds / max(1, rate.requests) if rate else 0.0)
        if asked > MAX_CRAWL_DELAY_S:
            logger.warning(
                "robots.txt of %s asks for %.0f s between requests; %.0f s are kept", host, asked, MAX_CRAWL_DELAY_S
            )
        delay = min(asked, MAX_CRAWL_DELAY_S)
        if delay > self._crawl.plan.delay_s:
            keep_delay(self._crawler, host, delay)


class _BusyError(Exception):
    """The host is too busy for its robots.txt now."""


def _depth(meta: dict[str, Any]) -> int:
    return meta["row"].depth if "row" in meta else 0
