"""The one spider: it turns each response into an ending; what is fetched next is the frontier's business."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import UsageError
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from twisted.python.failure import Failure

from crawlers.crawl import RunningCrawl
from crawlers.endings import Ending, Fetched
from crawlers.evidence import EvidenceError
from crawlers.extraction.process import ExtractionStoppedError
from crawlers.frontier import FrontierError, Kind, Row
from crawlers.identity import identify
from crawlers.manners import TRIES
from crawlers.outcomes import CrawlStoppedError, Ended, TooManyRedirectsError, outcome_of

logger = logging.getLogger(__name__)

_MAX_VALIDATOR_CHARS = 256


class PagesSpider(Spider):
    """Reads pages, sitemaps and feeds.

    Parameters
    ----------
    crawl
        The running crawl; `crawlers.run.run_crawl` passes it.
    """

    name = "pages"

    def __init__(self, *args: Any, crawl: RunningCrawl, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.crawl = crawl
        self.take_apart = crawl.documents.take_apart

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> PagesSpider:
        """Build the spider.

        Raises
        ------
        UsageError
            It was started by ``scrapy crawl``, which knows neither limits nor sink.
        """
        if "crawl" not in kwargs:
            raise UsageError("start this spider with `guidewatch run` or `guidewatch work spider`")
        spider = super().from_crawler(crawler, *args, **kwargs)
        if spider.crawl.plan.browser:
            spider.render_with(crawler)
        return spider

    def render_with(self, crawler: Crawler) -> None:
        """Render pages that say nothing without their scripts, in one browser that ends with the spider."""
        from crawlers.rendering import BrowserRenderer, RenderingDocuments

        plan = self.crawl.plan
        renderer = BrowserRenderer(
            Path(plan.browser), self._ask, agent=plan.agent, max_bytes=plan.max_bytes, limit_s=plan.timeout_s
        )
        self.crawl.deadlines.append(renderer.stop_within)
        crawler.signals.connect(renderer.close, signal=signals.spider_closed)
        self.take_apart = RenderingDocuments(self.crawl.documents.take_apart, renderer.render).take_apart

    async def _ask(self, url: str) -> Response:
        """Fetch what a page asks for as the pages themselves are fetched; a host that is busy is not asked again."""
        request = Request(url, callback=NO_CALLBACK, meta={"turned_away": TRIES})
        response: Response = await self.crawler.engine.download_async(request)
        return response

    async def start(self) -> AsyncIterator[Any]:
        """Yield nothing: the seeds are in the frontier."""
        nothing: tuple[Any, ...] = ()
        for item in nothing:
            yield item

    async def parse(self, response: Response, **_: Any) -> AsyncIterator[Ending]:
        """Yield the ending of the row that ``response`` answers; an exception ends it as failed."""
        row: Row = response.meta["row"]
        try:
            ending = await self.crawl.reader.read(row, self._fetched(response), self.take_apart)
        except ExtractionStoppedError as error:
            if error.because:
                self.crawl.stop(error.because)
            return
        except Exception as error:  # the page's own edge: one bad document never stops a crawl
            logger.info("error while reading %s", row.page_id, exc_info=True)
            reason = f"error: {type(error).__name__}"
            ending = self._ended(row, Ended("failed", reason), response.url, self._chain(response.meta))
        yield ending

    def fail(self, failure: Failure) -> Iterator[Ending]:
        """Yield the ending of a row whose request came to nothing, unless the next run is to try it again."""
        request: Request = failure.request  # type: ignore[attr-defined]
        row: Row = request.meta["row"]
        error: BaseException = failure.value  # type: ignore[assignment]
        if isinstance(error, CrawlStoppedError):
            self.crawl.release(row)
            return
        if isinstance(error, FrontierError):
            self.crawl.release(row)
            self.crawl.fail(error)
            return
        if isinstance(error, EvidenceError):
            self.crawl.release(row)
            self.crawl.stop(f"evidence: {error}")
            return
        ended = outcome_of(error)
        if ended.reason.startswith("error: "):
            logger.info("error while fetching %s", row.page_id, exc_info=error)
        chain = self._chain(request.meta)
        if isinstance(error, TooManyRedirectsError):
            urls = [*chain[1:], request.url]
            yield self.crawl.reader.given_up(row, ended, urls, self.crawl.clock(), error.target)
        elif chain and identify(request.url) is None:
            yield self.crawl.reader.given_up(row, ended, chain[1:], self.crawl.clock())
        else:
            yield self._ended(row, ended, request.url, chain)

    def _ended(self, row: Row, ended: Ended, url: str, chain: tuple[str, ...]) -> Ending:
        event = self.crawl.reader.ended(
            row, outcome=ended.outcome, reason=ended.reason, url=url if chain else row.url, at=self.crawl.clock()
        )
        counts = ended.outcome == "failed" and row.kind is Kind.PAGE
        return Ending(row=row, event=event, chain=chain, counts=counts)

    def _fetched(self, response: Response) -> Fetched:
        return Fetched(
            url=response.url,
            status=response.status,
            content_type=(response.headers.get("Content-Type") or b"").decode("latin-1"),
            content_language=(response.headers.get("Content-Language") or b"").decode("latin-1"),
            body=response.body,
            at=self.crawl.clock(),
            chain=self._chain(response.meta),
            evidence=response.meta.get("evidence"),
            etag=_header(response, "ETag"),
            last_modified=_header(response, "Last-Modified"),
        )

    @staticmethod
    def _chain(meta: dict[str, Any]) -> tuple[str, ...]:
        return tuple(meta.get("redirect_urls", ()))


def _header(response: Response, name: str) -> str:
    """Return a header to send back one day, or nothing where it is too long to be kept."""
    value = (response.headers.get(name) or b"").decode("latin-1").strip()
    return value if len(value) <= _MAX_VALIDATOR_CHARS and value.isprintable() else ""
