"""Redirects, as Scrapy follows them, with an error of their own when there are too many."""

from __future__ import annotations

from typing import Any, Self

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawlers.guard.bare import without_user_info
from crawlers.outcomes import TooManyRedirectsError


class CountedRedirectMiddleware(RedirectMiddleware):
    """Every hop is a new request, without user info and Referer, which the guard and robots.txt judge again.

    After ``REDIRECT_MAX_TIMES`` hops, `TooManyRedirectsError` says where the next one would have led.
    """

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build it without the middleware that sets Referer, which a crawl never sends."""
        made = cls(crawler.settings)
        made.crawler = crawler
        return made

    def process_response(
        self,
        request: Request,
        response: Response,
        spider: Spider | None = None,  # noqa: ARG002 Scrapy's names
    ) -> Request | Response:
        """Follow a redirect; what it leads to may be no URL at all, and then it ends as any other status."""
        try:
            return super().process_response(request, response)
        except ValueError:
            return response

    def _redirect(self, redirected: Request, request: Request, reason: Any) -> Request:
        bare = without_user_info(redirected.url)
        if bare != redirected.url:
            redirected = redirected.replace(url=bare)
        try:
            return super()._redirect(redirected, request, reason)
        except IgnoreRequest as error:
            raise TooManyRedirectsError(redirected.url) from error
