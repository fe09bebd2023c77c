"""WARC files as the crawlers write them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from crawlers.evidence import Exchange, Resolution, WarcFiles
from events import Evidence

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def written(
    folder: Path,
    *bodies: bytes,
    headers: tuple[tuple[str, str], ...] = (),
    resolutions: tuple[Resolution, ...] = (),
) -> list[Evidence]:
    """Write one file with a record a body, and return where they are."""
    files = WarcFiles(folder, "crawl-1", software="tests", clock=lambda: AT)
    try:
        for resolution in resolutions:
            files.note(resolution)
        return [files.write(exchange(body, headers)) for body in bodies]
    finally:
        files.close()


def exchange(body: bytes, headers: tuple[tuple[str, str], ...]) -> Exchange:
    return Exchange(
        url="http://a.example/",
        at=AT,
        ip_address="127.0.0.1",
        request_line="GET / HTTP/1.1",
        request_headers=[("Host", "a.example")],
        status_line="HTTP/1.1 200 OK",
        response_headers=[("Content-Type", "text/html"), *headers],
        body=body,
    )
