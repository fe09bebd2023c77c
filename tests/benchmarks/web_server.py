"""The server of the benchmark web, in a process of its own: ``python -m tests.benchmarks.web_server``.

Each host is an address of its own (127.0.1.1, 127.0.1.2 …) with one port. One buffered write an answer, TCP_NODELAY;
it prints its port when it listens, and ends with its standard input. ``/-/fetched`` on any host returns, in order,
when each page was asked for and whether it is of concern, and forgets it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from urllib.request import urlopen

import uvloop

from tests.benchmarks.web import Place, Web

_HEAD = "HTTP/1.1 {} {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n"
_MISSING = _HEAD.format(404, "Not Found", 0).encode()
_MAX_REQUEST = 16_384


class Pages:
    """What is served. ``warm``: every page is made beforehand."""

    def __init__(self, web: Web, port: int, *, warm: bool) -> None:
        self._web = web
        self._origins = origins(web, port)
        self._hosts = {origin.removeprefix("http://"): host for host, origin in enumerate(self._origins)}
        self._places = {(place.host, web.path(place)): place for place in web.places()}
        self._made = {place: self._answer(place) for place in self._places.values()} if warm else {}
        self.fetched: list[tuple[float, bool]] = []

    def answer(self, host: str, path: str) -> bytes:
        """Return the whole answer to ``GET path``."""
        if path == "/-/fetched":
            body = json.dumps(self.fetched).encode()
            self.fetched = []
            return _HEAD.format(200, "OK", len(body)).encode() + body
        place = self._places.get((self._hosts.get(host, -1), path))
        if place is None:
            return _MISSING
        self.fetched.append((time.monotonic(), self._web.is_of_concern(place)))
        return self._made.get(place) or self._answer(place)

    def _answer(self, place: Place) -> bytes:
        body = self._web.page(place, self._origins)
        return _HEAD.format(200, "OK", len(body)).encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head, self._unread = self._unread[:end].decode("latin-1"), self._unread[end + 4 :]
            first, *fields = head.split("\r\n")
            host = next((field[5:].strip() for field in fields if field[:5].lower() == "host:"), "")
            self._transport.write(self._pages.answer(host, first.split(" ")[1]))
        if len(self._unread) > _MAX_REQUEST:
            self._transport.close()


def origins(web: Web, port: int) -> list[str]:
    """Return the beginning of each host's URLs."""
    return [f"http://127.0.1.{host + 1}:{port}" for host in range(web.hosts)]


def fetched(origin: str) -> list[tuple[float, bool]]:
    """Return when each page was asked for since the last call, in seconds, and whether it is of concern."""
    with urlopen(f"{origin}/-/fetched", timeout=30) as answer:
        return json.load(answer)


@contextmanager
def serving(web: Web, *, warm: bool = True) -> Iterator[list[str]]:
    """Serve ``web`` from another process until the block ends; yield the origins of its hosts."""
    command = [sys.executable, "-m", "tests.benchmarks.web_server", json.dumps({**asdict(web), "warm": warm})]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the server of the benchmark web did not start")
        yield origins(web, int(line))
    finally:
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


async def _serve(web: Web, *, warm: bool) -> None:
    loop = asyncio.get_running_loop()
    sockets = _sockets(web.hosts)
    pages = Pages(web, sockets[0].getsockname()[1], warm=warm)
    servers = [await loop.create_server(lambda: _Connection(pages), sock=each) for each in sockets]
    sys.stdout.write(f"{sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    for server in servers:
        server.close()


def _sockets(hosts: int) -> list[socket.socket]:
    found: list[socket.socket] = []
    for host in range(hosts):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((f"127.0.1.{host + 1}", found[0].getsockname()[1] if found else 0))
        one.listen(256)
        found.append(one)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("web", help="the fields of the web, as JSON")
    options = json.loads(parser.parse_args().web)
    warm = options.pop("warm")
    uvloop.run(_serve(Web(**options), warm=warm))


if __name__ == "__main__":
    main()
