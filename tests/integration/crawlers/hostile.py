"""A server on loopback that breaks every rule of HTTP, and a recorder that takes the place of the network.

Routes are functions of the open connection. Everything is bounded in time, and ends with the test.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from aiohttp.abc import ResolveResult

import crawlers.handler
from crawlers.plan import CrawlPlan
from crawlers.run import RunOptions, run_crawl
from events import PageFound
from tests.integration.crawlers.sinks import ListSink

MOST_S = 15.0
Route = Callable[["Wire"], None]


@dataclass
class Wire:
    """One connection, after its request has been read."""

    connection: socket.socket
    path: str
    ended: threading.Event
    began: float = field(default_factory=time.monotonic)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def goes_on(self, every_s: float = 0.0) -> bool:
        """Wait, and say whether there is time for more."""
        self.ended.wait(every_s)
        return not self.ended.is_set() and time.monotonic() - self.began < MOST_S


@dataclass(frozen=True)
class Request:
    path: str
    head: bytes
    at: float


@dataclass
class HostileSite:
    """Routes by path; what is not there is a page of its own words."""

    routes: dict[str, Route]
    seen: list[Request] = field(default_factory=list)
    under_way: int = 0
    most_at_once: int = 0
    port: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def key(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"http://{self.key}{path}"

    def gaps(self) -> list[float]:
        """Return the seconds between each request and the next."""
        times = [request.at for request in self.seen]
        return [later - earlier for earlier, later in pairwise(times)]

    def await_request(self, path: str) -> None:
        """Wait until ``path`` has been asked, for a while."""
        until = time.monotonic() + MOST_S
        while path not in self.asked() and time.monotonic() < until:
            time.sleep(0.02)

    def asked(self) -> list[str]:
        return [request.path for request in self.seen]


def response(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    if not any(line.lower().startswith("content-type") for line in headers):
        lines.append("Content-Type: text/html")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def raw(data: bytes) -> Route:
    return lambda wire: wire.send(data)


def page(text: str, *links: str) -> bytes:
    anchors = "".join(f'<p><a href="{link}">link</a></p>' for link in links)
    return f"<html><title>A page</title><body><p>{text}</p>{anchors}</body></html>".encode()


def drip(data: bytes, every_s: float) -> Route:
    """Send one byte after the other."""

    def route(wire: Wire) -> None:
        for at in range(len(data)):
            wire.send(data[at : at + 1])
            if not wire.goes_on(every_s):
                return

    return route


def endless(head: bytes, piece: bytes, every_s: float = 0.0) -> Route:
    """Send ``piece`` for ever."""

    def route(wire: Wire) -> None:
        wire.send(head)
        while wire.goes_on(every_s):
            wire.send(piece)

    return route


def _serve(site: HostileSite, connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        connection.settimeout(MOST_S)
        head = b""
        while b"\r\n\r\n" not in head:
            got = connection.recv(65_536)
            if not got:
                return
            head += got
        path = head.split(b" ", 2)[1].decode("latin-1")
        site.seen.append(Request(path, head, time.monotonic()))
        wire = Wire(connection, path, site.ended)
        default = (
            response(b"", status="404 Not Found")
            if path == "/robots.txt"
            else response(page(f"words {path} of {site.port}"))
        )
        site.under_way += 1
        site.most_at_once = max(site.most_at_once, site.under_way)
        try:
            site.routes.get(path, raw(default))(wire)
        finally:
            site.under_way -= 1


@contextlib.contextmanager
def serve_hostile(routes: dict[str, Route]) -> Iterator[HostileSite]:
    """Serve ``routes`` on a free port of loopback until the block ends."""
    site = HostileSite(routes)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    site.port = listener.getsockname()[1]

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=_serve, args=(site, connection), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.ended.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


class FakeNames:
    """Answers names from a table, one answer after the other; nothing leaves the machine."""

    def __init__(self, **addresses: list[list[str]]) -> None:
        self._answers = {name.replace("_", "-"): answers for name, answers in addresses.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self._answers.get(host.partition(".")[0])
        if not answers:
            raise OSError("no such name")
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in given
        ]


class Recorder:
    """Stands where sockets are opened: sites of the test are let through, whatever else is recorded and refused."""

    def __init__(self, *sites: HostileSite) -> None:
        self._open = {("127.0.0.1", site.port) for site in sites}
        self.strangers: list[tuple[str, int]] = []

    def __call__(self, family: int, kind: int, protocol: int, address: tuple[str, int]) -> socket.socket:
        if address not in self._open:
            self.strangers.append(address)
            raise OSError("recorded, not connected")
        return socket.socket(family, kind, protocol)


def record(monkeypatch: pytest.MonkeyPatch, *sites: HostileSite) -> Recorder:
    recorder = Recorder(*sites)
    monkeypatch.setattr(crawlers.handler, "open_socket", recorder)
    return recorder


def crawl(plan: CrawlPlan, names: FakeNames | None = None) -> dict[str, str]:
    """Crawl, and return URL → ``page`` or ``outcome: reason``; a URL that ended twice fails."""
    sink = ListSink()
    summary = run_crawl(plan, sink, options=RunOptions(lookup=names or FakeNames()))
    assert summary.finished
    found: dict[str, str] = {}
    for event in sink.events:
        assert event.url not in found, f"{event.url} ended twice"
        found[event.url] = "page" if isinstance(event, PageFound) else f"{event.outcome}: {event.reason}"
    return found
