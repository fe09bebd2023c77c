from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from storage.port import StoreRejectedError, StoreUnavailableError
from tests.unit.dashboards.conftest import TOKEN
from tests.unit.dashboards.pages import page, text


class BrokenStore:
    """A store of which every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise self._error

        return fail


def _client(open_app, error: Exception) -> TestClient:
    client = open_app(store=BrokenStore(error))
    client.get("/", params={"token": TOKEN})
    return client


@pytest.mark.parametrize("path", ["/", f"/items/{'a' * 32}"])
def test_a_store_that_is_down_is_a_clear_page(open_app, path: str) -> None:
    response = _client(open_app, StoreUnavailableError("connection refused at 10.0.0.7", 7)).get(path)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "7"
    assert "cannot be reached" in text(page(response), "#main")
    assert "10.0.0.7" not in response.text


def test_a_store_that_refuses_says_whom_to_ask(open_app) -> None:
    response = _client(open_app, StoreRejectedError("wrong password")).get("/")
    assert response.status_code == 503
    assert "ask whoever runs guidewatch" in text(page(response), "#main")
    assert "password" not in response.text


def test_a_fault_of_ours_shows_no_traceback_and_keeps_its_headers(open_app) -> None:
    response = _client(open_app, ZeroDivisionError("secret detail")).get("/")
    assert response.status_code == 500
    assert "fault in guidewatch" in text(page(response), "#main")
    assert "secret detail" not in response.text
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"


def test_pages_that_are_not_there_say_so(client: TestClient) -> None:
    response = client.get("/nothing/here")
    assert response.status_code == 404
    assert text(page(response), "h1") == "Not here"


def test_health_needs_no_session_and_tells_nothing(stranger: TestClient, open_app) -> None:
    for path in ("/healthz", "/readyz"):
        assert (stranger.get(path).status_code, stranger.get(path).text) == (200, "ok\n")
    down = open_app(store=BrokenStore(StoreUnavailableError("at 10.0.0.7")))
    assert (down.get("/healthz").status_code, down.get("/readyz").status_code) == (200, 503)
    assert down.get("/readyz").text == "store unavailable\n"
