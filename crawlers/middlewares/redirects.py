"""Redirects, as Scrapy follows them, with an error of their own when there are too many."""

from __future__ import annotations

from scrapy import Request, Spider
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawlers.outcomes import TooManyRedirectsError


class CountedRedirectMiddleware(RedirectMiddleware):
    """Every hop is a new request, which the guard and robots.txt judge again."""

    def process_response(
        self,
        request: Request,
        response: Response,
        spider: Spider | None = None,  # noqa: ARG002 deprecated
    ) -> Request | Response:
        """Return the request of the next hop, or ``response`` where it does not redirect to http(s).

        Raises
        ------
        TooManyRedirectsError
            More hops than ``REDIRECT_MAX_TIMES``.
        """
        try:
            return super().process_response(request, response)
        except IgnoreRequest as error:
            raise TooManyRedirectsError from error
