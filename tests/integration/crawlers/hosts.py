"""A web of several hosts on loopback, one port: every request is remembered with host, times and client."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from random import Random

from tests.integration.crawlers.site import listening


def words(seed: int) -> str:
    """Return words of a page's own: pages that repeat each other would be taken for a trap."""
    draw = Random(seed)
    return " ".join("".join(draw.choices("abcdefghij", k=7)) for _ in range(12))


@dataclass(frozen=True)
class Hit:
    """One request: when it came, when the answer began to leave (seconds, one clock), and who asked."""

    host: str
    path: str
    came_s: float
    left_s: float
    agent: str


@dataclass
class Web:
    """``hosts`` addresses with ``pages`` pages each; every page links to the next of its host and to other hosts'."""

    hosts: int
    pages: int
    pause_s: float = 0.0
    port: int = 0
    hits: list[Hit] = field(default_factory=list)

    def address(self, number: int) -> str:
        return f"127.0.1.{number % self.hosts + 1}"

    def url(self, number: int, path: str = "/") -> str:
        return f"http://{self.address(number)}:{self.port}{path}"

    @property
    def urls(self) -> set[str]:
        """Return all pages."""
        return {self.url(host, self.path(page)) for host in range(self.hosts) for page in range(self.pages)}

    @staticmethod
    def path(page: int) -> str:
        return f"/p{page}" if page else "/"

    def body(self, host: str, path: str) -> bytes:
        number = int(host.rpartition(".")[2]) - 1
        page = int(path.removeprefix("/p")) if path != "/" else 0
        links = [self.path(other) for other in (2 * page + 1, 2 * page + 2) if other < self.pages]
        links += [self.url(number + step, self.path(page)) for step in (1, 3)]
        anchors = " ".join(f'<a href="{link}">onwards</a>' for link in links)
        text = f"{words((self.port * 100 + number) * 100_000 + page)} grow in garden {self.port}/{number}, bed {page}."
        return f"<html><head><title>{number}/{page}</title></head><body><p>{text}</p>{anchors}</body></html>".encode()

    def fetches(self) -> Counter[str]:
        """Return how often each page was asked for."""
        return Counter(
            f"http://{hit.host}:{self.port}{hit.path}" for hit in list(self.hits) if hit.path != "/robots.txt"
        )

    def by_host(self) -> dict[str, list[Hit]]:
        found = defaultdict(list)
        for hit in sorted(self.hits, key=lambda hit: hit.came_s):
            found[hit.host].append(hit)
        return found


@contextmanager
def served(web: Web) -> Iterator[Web]:
    """Serve ``web`` until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            came_s = time.monotonic()
            host = str(self.server.server_address[0])
            time.sleep(web.pause_s)
            body = web.body(host, self.path) if self.path == "/" or self.path.startswith("/p") else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            agent = f"{self.client_address[0]}:{self.client_address[1]}"
            web.hits.append(Hit(host, self.path, came_s, time.monotonic(), agent))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    with ExitStack() as stack:
        for number in range(web.hosts):
            web.port = stack.enter_context(listening((web.address(number), web.port), Handler))
        yield web
