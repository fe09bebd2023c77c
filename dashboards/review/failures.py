"""The pages for when something is wrong."""

from __future__ import annotations

import logging
import math

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from dashboards.review.desk import desk_of, page
from dashboards.review.gate import SECURITY_HEADERS
from storage.port import StoreRejectedError, StoreUnavailableError

_log = logging.getLogger(__name__)

TITLES = {
    400: "That could not be understood",
    403: "Not allowed",
    404: "Not here",
    405: "Not that way",
    413: "Too large",
    500: "Something went wrong",
}


def on_http(request: Request, error: Exception) -> Response:
    """Show what an `HTTPException` says."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) and status in (400, 403, 404, 413) else ""
    if status == 404 and detail == "Not Found":
        detail = "There is no page at this address."
    return _message(request, TITLES.get(status, "That did not work"), detail, status)


def on_store_unavailable(request: Request, error: Exception) -> Response:
    """Say that the store is down, and when to try again."""
    _log.warning("the store cannot be reached: %s", error)
    wait_s = error.retry_after_s if isinstance(error, StoreUnavailableError) else None
    detail = "The store of items cannot be reached at the moment. Nothing is lost; try again shortly."
    headers = {"Retry-After": str(math.ceil(wait_s or 10))}
    return _message(request, "The store is not available", detail, 503, headers)


def on_store_rejected(request: Request, error: Exception) -> Response:
    """Say that the store refuses, and that trying again does not help."""
    _log.error("the store refuses: %s", error)
    detail = "The store of items refuses this app. Trying again will not help: ask whoever runs guidewatch here."
    return _message(request, "The store is not available", detail, 503)


def on_error(request: Request, _error: Exception) -> Response:
    """Say that it is our mistake; the traceback goes to the log, not to the reader."""
    detail = "This is a fault in guidewatch, and it has been logged. Your decisions so far are safe."
    return _message(request, TITLES[500], detail, 500, SECURITY_HEADERS)


def healthz(_: Request) -> Response:
    """Answer probes: 200 ``ok`` while there is anybody to answer."""
    return PlainTextResponse("ok\n")


def readyz(request: Request) -> Response:
    """Answer probes: 200 ``ok`` while the store answers, else 503."""
    try:
        desk_of(request).store.health()
    except (StoreUnavailableError, StoreRejectedError):
        return PlainTextResponse("store unavailable\n", 503)
    return PlainTextResponse("ok\n")


def _message(request: Request, title: str, detail: str, status: int, headers: dict[str, str] | None = None) -> Response:
    home = desk_of(request).url("/")
    return page(request, "message.html", {"title": title, "detail": detail, "home": home}, status, headers)
