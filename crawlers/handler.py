"""The download handler: every connection of a crawl is made here, under the guard and with a deadline."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_address
from typing import Any, ClassVar, cast

import aiohttp
from aiohttp import ServerDisconnectedError, StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage
from scrapy import Request
from scrapy.core.downloader.handlers._aiohttp import AiohttpDownloadHandler, _ClientResponse
from scrapy.crawler import Crawler
from scrapy.http import Headers, Response
from scrapy.utils.ssl import _make_ssl_context

from crawlers.crawl import crawl_of
from crawlers.evidence.dns import noting
from crawlers.guard.policy import AddressPolicy
from crawlers.guard.resolver import GuardedResolver, Lookup, ThreadLookup
from crawlers.outcomes import CrawlStoppedError

_MAX_HEADER_BYTES = 16_384
_MAX_HEADERS = 100
_MAX_INFORMATIONAL = 20


def open_socket(family: int, kind: int, protocol: int, address: tuple[str, int]) -> socket.socket:  # noqa: ARG001
    """Open the socket for a connection to ``address``; tests put something here that records and never connects."""
    return socket.socket(family, kind, protocol)


async def _without_length(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Take off ``Content-Length: 0``, which no browser sends with a GET and some servers refuse."""
    if request.method == "GET":
        request.headers.pop("Content-Length", None)
    return await send(request)


class _Wire(ResponseHandler):
    """Hangs up on a server that sends informational responses (RFC 9110, 15.2) without end: each costs memory."""

    _informational = 0

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        self._informational = self._informational + 1 if data[0].code < 200 else 0
        if self._informational <= _MAX_INFORMATIONAL:
            super().feed_data(data, size)
        elif self.transport is not None:
            self.transport.abort()
            self.set_exception(ServerDisconnectedError("too many informational responses"))


class GuardedDownloadHandler(AiohttpDownloadHandler):
    """Scrapy's aiohttp handler behind `AddressPolicy`.

    URL, resolved addresses and the address of each socket are checked, for pages as for robots.txt and sitemaps;
    redirects come back as new requests and are checked again. Requests under way can be given a last deadline.
    """

    experimental: ClassVar[bool] = False
    supports_proxies: ClassVar[bool] = False

    def __init__(self, crawler: Crawler, policy: AddressPolicy, lookup: Lookup) -> None:
        super(AiohttpDownloadHandler, self).__init__(crawler)
        self._ssl_context = _make_ssl_context(crawler.settings)
        self._policy = policy
        self._resolver = GuardedResolver(policy, lookup)
        self._under_way: set[asyncio.Timeout] = set()
        self._stopped = False
        connector = aiohttp.TCPConnector(
            local_addr=self._bind_address,
            resolver=self._resolver,
            socket_factory=self._socket,
            limit=self._pool_size_total,
            limit_per_host=self._pool_size_per_host,
        )
        connector._factory = partial(cast("type[ResponseHandler]", _Wire), loop=asyncio.get_running_loop())
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            response_class=_ClientResponse,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            trust_env=False,
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
            max_headers=_MAX_HEADERS,
            middlewares=(_without_length,),
        )

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GuardedDownloadHandler:
        """Build it with the policy and the name lookup of the running crawl."""
        crawl = crawl_of(crawler)
        lookup = noting(crawl.lookup or ThreadLookup(), crawl.evidence.note, crawl.clock)
        handler = cls(crawler, crawl.policy, lookup)
        crawl.deadlines.append(handler.stop_within)
        crawl.connections.append(handler.close)
        return handler

    def stop_within(self, seconds: float) -> None:
        """Give what is under way this long, and refuse everything that comes later."""
        self._stopped = True
        deadline = asyncio.get_running_loop().time() + seconds
        for scope in self._under_way:
            scope.reschedule(deadline)

    async def download_request(self, request: Request) -> Response:
        """Fetch ``request``.

        Raises
        ------
        GuardRefusedError
            The guard forbids the URL or an address behind it.
        CrawlStoppedError
            The crawl stopped first.
        """
        if self._stopped:
            raise CrawlStoppedError
        self._policy.check_url(request.url)
        try:
            async with asyncio.timeout(None) as scope:
                self._under_way.add(scope)
                try:
                    return await super().download_request(request)
                finally:
                    self._under_way.discard(scope)
        except TimeoutError as error:
            raise CrawlStoppedError from error

    @asynccontextmanager
    async def _make_request(self, request: Request, timeout: float) -> AsyncIterator[Any]:
        async with super()._make_request(request, timeout) as response:
            request.meta["wire_head"] = (response.reason or "", response.raw_headers)
            yield response

    @staticmethod
    def _extract_headers(response: _ClientResponse) -> Headers:
        """Take the bytes as they came: some servers send headers that are no UTF-8."""
        return Headers([(name, value) for name, value in response.raw_headers])

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Open a socket for an address that was checked; the last look before a packet leaves."""
        family, kind, protocol, _, (host, port, *_) = info
        address = ip_address(str(host).partition("%")[0])
        if not self._resolver.was_checked(str(host), port):
            self._policy.check_address(f"[{host}]" if family == socket.AF_INET6 else str(host), port, address)
        return open_socket(family, kind, protocol, (str(host), port))
