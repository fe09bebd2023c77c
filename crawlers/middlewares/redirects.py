"""Redirects, as Scrapy follows them, with an error of their own when there are too many."""

from __future__ import annotations

from typing import Any

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest

from crawlers.outcomes import TooManyRedirectsError


class CountedRedirectMiddleware(RedirectMiddleware):
    """Every hop is a new request, which the guard and robots.txt judge again.

    After ``REDIRECT_MAX_TIMES`` hops, `TooManyRedirectsError` says where the next one would have led.
    """

    def _redirect(self, redirected: Request, request: Request, reason: Any) -> Request:
        try:
            return super()._redirect(redirected, request, reason)
        except IgnoreRequest as error:
            raise TooManyRedirectsError(redirected.url) from error
