"""Serve the sample web: one loopback origin (port) per site."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from guidewatch.demo.pages import SITES, WEB

_PLACEHOLDER = re.compile(rb"\{\{origin:(\w+)\}\}")
_MONTH = re.compile(r"^/calendar/(\d{1,5})/(\d{1,2})\.html$")
_TYPES = {".html": "text/html", ".xml": "application/xml", ".pdf": "application/pdf", ".txt": "text/plain"}
_REDIRECTS = {"/go/a": "/go/b", "/go/b": "/go/c", "/go/c": "/about.html"}


class SampleWeb:
    """The running sample web.

    Parameters
    ----------
    folder
        Folder with one sub-folder a site.
    host
        Loopback address to bind to; every site gets a free port.
    """

    def __init__(self, folder: Path = WEB, host: str = "127.0.0.1") -> None:
        self.folder = folder
        self.requests: list[tuple[str, str]] = []
        """(site, path) of every request so far, in order."""
        self._servers = {site: self._server(site, host) for site in SITES}
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True, name=f"sample-web-{site}")
            for site, server in self._servers.items()
        ]

    @property
    def origins(self) -> dict[str, str]:
        """Site → origin, such as ``http://127.0.0.1:40123``."""
        return {site: "http://{}:{}".format(*server.server_address[:2]) for site, server in self._servers.items()}

    @property
    def hosts(self) -> frozenset[str]:
        """``host:port`` of every origin."""
        return frozenset(origin.removeprefix("http://") for origin in self.origins.values())

    def start(self) -> SampleWeb:
        """Start to answer; return itself."""
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Stop answering and free the ports."""
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def locate(self, url: str) -> tuple[str, str] | None:
        """Return (site, path) of a URL of this web, or None; the root is ``/index.html``."""
        for site, origin in self.origins.items():
            if url == origin or url.startswith(f"{origin}/"):
                path = url.removeprefix(origin).partition("?")[0] or "/"
                return site, f"{path}index.html" if path.endswith("/") else path
        return None

    def answer(self, site: str, path: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body for a request."""
        path = path.partition("?")[0]
        if site == "portal" and path in _REDIRECTS:
            return 302, {"Location": _REDIRECTS[path]}, b""
        if site == "portal" and (month := _MONTH.match(path)):
            return 200, {"Content-Type": "text/html; charset=utf-8"}, _calendar(int(month[1]), int(month[2]))
        file = (self.folder / site / path.lstrip("/")).resolve()
        if path.endswith("/"):
            file /= "index.html"
        inside = file.is_relative_to((self.folder / site).resolve())
        if not inside or not file.is_file() or file.suffix not in _TYPES:
            return 404, {"Content-Type": "text/html"}, b"<title>404</title><p>Not here.</p>"
        origins = {name.encode(): origin.encode() for name, origin in self.origins.items()}
        body = _PLACEHOLDER.sub(lambda match: origins.get(match[1], b""), file.read_bytes())
        return 200, {"Content-Type": _TYPES[file.suffix]}, body

    def _server(self, site: str, host: str) -> ThreadingHTTPServer:
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                web.requests.append((site, self.path))
                status, headers, body = web.answer(site, self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer((host, 0), Handler)
        server.daemon_threads = True
        server.block_on_close = False
        return server


@contextmanager
def sample_web() -> Iterator[SampleWeb]:
    """Serve the sample web while the block runs."""
    web = SampleWeb().start()
    try:
        yield web
    finally:
        web.stop()


def _calendar(year: int, month: int) -> bytes:
    """Return one page of a calendar that goes on for ever, in both directions."""
    days = "".join(f"<td>{day}</td>" + ("</tr><tr>" if day % 7 == 0 else "") for day in range(1, 31))
    after = (year + month // 12, month % 12 + 1)
    before = (year - (month == 1), 12 if month == 1 else month - 1)
    links = "".join(
        f'<a href="/calendar/{y}/{m:02d}.html">{name}</a> ' for name, (y, m) in (("earlier", before), ("later", after))
    )
    return (
        f'<!doctype html><html lang="en"><title>Ring calendar {year}/{month:02d}</title>'
        f"<h1>{year}/{month:02d}</h1><table><tr>{days}</tr></table><p>Nothing is planned.</p>{links}</html>"
    ).encode()
