"""The one spider: it turns each response into an ending; what is fetched next is the frontier's business."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import UsageError
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.crawl import RunningCrawl
from crawlers.evidence import EvidenceError
from crawlers.frontier import FrontierError, Kind, Row
from crawlers.identity import identify
from crawlers.outcomes import CrawlStoppedError, Ended, TooManyRedirectsError, outcome_of
from crawlers.reading import Ending, Fetched

logger = logging.getLogger(__name__)


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

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> PagesSpider:
        """Build the spider.

        Raises
        ------
        UsageError
            It was started by ``scrapy crawl``, which knows neither limits nor sink.
        """
        if "crawl" not in kwargs:
            raise UsageError("start this spider with `guidewatch run` or `guidewatch crawl`")
        return super().from_crawler(crawler, *args, **kwargs)

    async def start(self) -> AsyncIterator[Any]:
        """Yield nothing: the seeds are in the frontier."""
        nothing: tuple[Any, ...] = ()
        for item in nothing:
            yield item

    def parse(self, response: Response, **_: Any) -> Iterator[Ending]:
        """Yield the ending of the row that ``response`` answers; an exception ends it as failed."""
        row: Row = response.meta["row"]
        try:
            ending = self.crawl.reader.read(row, self._fetched(response))
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
        )

    @staticmethod
    def _chain(meta: dict[str, Any]) -> tuple[str, ...]:
        return tuple(meta.get("redirect_urls", ()))
