"""Content-Encoding, undone as Scrapy does it, with a bound on how often and an error of its own where it is a lie."""

from __future__ import annotations

import sys
import zlib

import brotli
from scrapy import Request, Spider
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawlers.outcomes import ContentEncodingError

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError
else:
    from backports.zstd import ZstdError

_MAX_ENCODINGS = 3


class BoundedCompressionMiddleware(HttpCompressionMiddleware):
    """Unpacks a body, each layer up to ``DOWNLOAD_MAXSIZE``.

    Raises
    ------
    ContentEncodingError
        There are more layers than honest servers use, or the body is not in the encoding that the header names.
    """

    def process_response(
        self,
        request: Request,
        response: Response,
        spider: Spider | None = None,  # noqa: ARG002 Scrapy's names
    ) -> Request | Response:
        """Return ``response`` unpacked."""
        named = b",".join(response.headers.getlist("Content-Encoding"))
        if named.count(b",") >= _MAX_ENCODINGS:
            raise ContentEncodingError
        try:
            return super().process_response(request, response)
        except IgnoreRequest:
            raise
        except (OSError, EOFError, ValueError, zlib.error, brotli.error, ZstdError) as error:
            raise ContentEncodingError from error
