"""A small web site on loopback for crawler tests: routes are data, every request is remembered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """What a route answers; ``drip_s`` seconds pass between two bytes of the body."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html"),)
    drip_s: float = 0.0
    wait_s: float = 0.0


def html(text: str, *links: str, title: str = "A page") -> Answer:
    """Return a page with a title, a paragraph and links."""
    anchors = "".join(f'<p><a href="{link}">link</a></p>' for link in links)
    return Answer(f"<html><head><title>{title}</title></head><body><p>{text}</p>{anchors}</body></html>".encode())


def moved(to: str, status: int = 302) -> Answer:
    """Return a redirect."""
    return Answer(status=status, headers=(("Location", to),))


@dataclass
class Site:
    """Routes by path with query; what is not there is 404. ``seen`` has (path, headers) of each request."""

    routes: dict[str, Answer]
    fallback: Callable[[str], Answer | None] = lambda _: None
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    port: int = 0
    conditional: bool = False
    """Whether an ETag that is sent back is answered with 304."""

    @property
    def key(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"http://{self.key}{path}"

    def asked(self) -> list[str]:
        return [path for path, _ in self.seen]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        return


@contextmanager
def listening(address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Answer requests at ``address`` until the block ends; yield the port."""
    server = _Server(address, handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serve(site: Site) -> Iterator[Site]:
    """Serve ``site`` on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            site.seen.append((self.path, dict(self.headers)))
            answer = site.routes.get(self.path) or site.fallback(self.path) or Answer(b"<p>not here", 404)
            time.sleep(answer.wait_s)
            tag = dict(answer.headers).get("ETag")
            if site.conditional and tag is not None and self.headers.get("If-None-Match") == tag:
                answer = Answer(status=304, headers=(("ETag", tag),))
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            try:
                for piece in (
                    [answer.body] if not answer.drip_s else [answer.body[n : n + 1] for n in range(len(answer.body))]
                ):
                    self.wfile.write(piece)
                    self.wfile.flush()
                    time.sleep(answer.drip_s)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    with listening(("127.0.0.1", site.port), Handler) as site.port:
        yield site
