"""Nearest to the wire: every response is written to WARC before anything else looks at it."""

from __future__ import annotations

from http import HTTPStatus

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from yarl import URL

from crawlers.crawl import RunningCrawl, crawl_of
from crawlers.evidence.records import Exchange, Header


class WarcMiddleware:
    """Writes request and response as they were on the wire; ``meta["evidence"]`` says where the response stands.

    Parameters
    ----------
    crawl
        Has the WARC files and the clock.
    """

    def __init__(self, crawl: RunningCrawl) -> None:
        self._crawl = crawl

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> WarcMiddleware:
        """Build it for the running crawl."""
        return cls(crawl_of(crawler))

    def process_request(self, request: Request) -> None:
        """Forget the evidence of the response that redirected here."""
        request.meta.pop("evidence", None)

    def process_response(self, request: Request, response: Response) -> Response:
        """Write the exchange.

        Raises
        ------
        EvidenceError
            It cannot be written.
        """
        self._crawl.responses += 1
        reason, raw_headers = request.meta.pop("wire_head", ("", ()))
        request.meta["evidence"] = self._crawl.evidence.write(
            Exchange(
                url=request.url,
                at=self._crawl.clock(),
                ip_address=str(response.ip_address) if response.ip_address else None,
                request_line=f"{request.method} {URL(request.url).raw_path_qs} HTTP/1.1",
                request_headers=[("Host", URL(request.url).host_port_subcomponent or ""), *_pairs(request)],
                status_line=f"{response.protocol or 'HTTP/1.1'} {response.status} {reason or _phrase(response.status)}",
                response_headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw_headers],
                body=response.body,
            )
        )
        return response


def _pairs(request: Request) -> list[Header]:
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in request.headers.items()
        for value in values
    ]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
