"""From exceptions to outcomes: what a URL that could not be fetched ends as."""

from __future__ import annotations

from typing import Literal, NamedTuple

import aiohttp
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)

from crawlers.guard import GuardRefusedError


class CrawlStoppedError(Exception):
    """The crawl was told to stop before a request was done; its URL stays for the next run."""


class RefusedError(Exception):
    """A URL must not, or shall not, be fetched; ``reason`` is short and stable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooManyRedirectsError(Exception):
    """A URL leads to another more often than is followed; ``target`` is the first that was not asked."""

    def __init__(self, target: str) -> None:
        super().__init__("too many redirects")
        self.target = target


class ContentEncodingError(Exception):
    """A body is not packed as its server says, or more often than is unpacked."""


class Ended(NamedTuple):
    """Outcome and reason of a URL that gave no response."""

    outcome: Literal["refused", "failed"]
    reason: str


_FAILED: tuple[tuple[type[BaseException], str], ...] = (
    (CannotResolveHostError, "dns"),
    (DownloadTimeoutError, "timeout"),
    (ResponseDataLossError, "connection lost"),
    (TooManyRedirectsError, "too many redirects"),
    (ContentEncodingError, "content encoding"),
    (DownloadCancelledError, "too large"),
    (IgnoreRequest, "too large"),
)


def outcome_of(error: BaseException) -> Ended:
    """Return what a URL ends as whose request raised ``error``."""
    if isinstance(error, RefusedError | GuardRefusedError):
        return Ended("refused", error.reason)
    if isinstance(error, UnsupportedURLSchemeError):
        return Ended("refused", "guard: malformed URL")
    for kind, reason in _FAILED:
        if isinstance(error, kind):
            return Ended("failed", reason)
    if isinstance(error, DownloadConnectionRefusedError):
        return Ended("failed", _connection(error.__cause__))
    if isinstance(error, DownloadFailedError):
        return Ended("failed", _broken(error.__cause__))
    return Ended("failed", f"error: {type(error).__name__}")


def _connection(cause: BaseException | None) -> str:
    if isinstance(cause, aiohttp.ClientSSLError):
        return "tls"
    inner = getattr(cause, "os_error", None)
    return "connection refused" if isinstance(inner, ConnectionRefusedError) else "connection failed"


def _broken(cause: BaseException | None) -> str:
    if isinstance(cause, aiohttp.ClientResponseError | aiohttp.InvalidURL):
        return "malformed response"
    return "connection lost"
