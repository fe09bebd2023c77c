from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from guidewatch.metrics.process import Endpoint, Process
from guidewatch.metrics.server import _Handler


def answered(request: bytes, process: Process | None = None) -> bytes:
    """Return what the handler writes for the bytes of a request."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(request)
        ours.shutdown(socket.SHUT_WR)
        server: Any = SimpleNamespace(endpoint=Endpoint(process or Process("index", str, str, [])))
        _Handler(theirs, ("", 0), server)
        theirs.close()
        found = b""
        while some := ours.recv(65536):
            found += some
        return found


def test_a_probe_is_answered_and_the_connection_ends() -> None:
    head, _, body = answered(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200")
    assert b"Content-Type: text/plain" in head
    assert b"Cache-Control: no-store" in head
    assert b"Python" not in head
    assert body == b"ok\n"


def test_head_has_no_body() -> None:
    head, _, body = answered(b"HEAD /metrics HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")
    assert b" 200 " in head
    assert body == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "BREW"])
def test_other_methods_are_not_allowed(method: str) -> None:
    head, _, body = answered(f"{method} /metrics HTTP/1.1\r\nHost: x\r\n\r\n".encode()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 405")
    assert b"Allow: GET, HEAD" in head
    assert body == b"only GET and HEAD\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    ],
    ids=["long", "version", "short", "tls", "headers"],
)
def test_what_is_no_request_is_refused_in_one_line(request_bytes: bytes) -> None:
    found = answered(request_bytes)
    assert b"<html" not in found.lower()
    assert found.endswith(b"that is no request\n")
    assert len(found) < 500


def test_a_fault_of_ours_is_logged_and_tells_nobody_anything(caplog: pytest.LogCaptureFixture) -> None:
    def fault() -> str:
        raise ZeroDivisionError("secret detail")

    found = answered(b"GET /readyz HTTP/1.1\r\n\r\n", Process("index", str, fault, []))
    assert found.startswith(b"HTTP/1.0 500")
    assert b"secret" not in found
    assert "secret detail" in caplog.text


def test_an_empty_connection_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    assert answered(b"") == b""
    assert not caplog.records
