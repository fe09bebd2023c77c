"""A redirect to another host goes to the spider of that host, as a request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scrapy import Request
from twisted.python.failure import Failure

from crawlers.endings import Ending
from crawlers.frontier import Row
from crawlers.identity import identify, to_link
from crawlers.middlewares.redirects import CountedRedirectMiddleware
from crawlers.spiders.pages import PagesSpider


class ElsewhereError(Exception):
    """A URL leads to another host; ``target`` is where."""

    def __init__(self, target: str) -> None:
        super().__init__("redirect to another host")
        self.target = target


class HostRedirectMiddleware(CountedRedirectMiddleware):
    """Follows redirects within a host.

    Those of robots.txt are followed wherever they lead (RFC 9309, 2.3.1.2): the rules behind them are to be obeyed.
    """

    def _redirect(self, redirected: Request, request: Request, reason: Any) -> Request:
        there, here = identify(redirected.url), identify(request.url)
        if "row" in request.meta and there is not None and here is not None and there.host != here.host:
            raise ElsewhereError(redirected.url)
        return super()._redirect(redirected, request, reason)


class HostPagesSpider(PagesSpider):
    """Ends a page that leads to another host as a duplicate of that page, which is asked for with the same depth."""

    def fail(self, failure: Failure) -> Iterator[Ending]:
        """Yield the ending of the row whose request came to nothing."""
        error: BaseException = failure.value  # type: ignore[assignment]
        if not isinstance(error, ElsewhereError):
            yield from super().fail(failure)
            return
        row: Row = failure.request.meta["row"]  # type: ignore[attr-defined]
        link = to_link(error.target, row.depth, kind=row.kind)
        if link is None:
            raise AssertionError("the redirect was identified before")
        event = self.crawl.reader.redirect(row, link.page_id, self.crawl.clock())
        yield Ending(row=row, event=event, links=(link,), counts=False)
