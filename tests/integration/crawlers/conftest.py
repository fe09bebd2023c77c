from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from crawlers.plan import CrawlPlan
from tests.integration.crawlers.hostile import HostileSite, Route, serve_hostile
from tests.integration.crawlers.site import Answer, Site, serve


@pytest.fixture
def start_site() -> Iterator[Callable[..., Site]]:
    """Return a function that serves routes on a free port until the test ends."""
    with ExitStack() as stack:

        def start(routes: dict[str, Answer], **values: Any) -> Site:
            return stack.enter_context(serve(Site(routes, **values)))

        yield start


@pytest.fixture
def start_hostile() -> Iterator[Callable[[dict[str, Route]], HostileSite]]:
    """Return a function that serves hostile routes on a free port until the test ends."""
    with ExitStack() as stack:
        yield lambda routes: stack.enter_context(serve_hostile(routes))


@pytest.fixture
def plan_for(tmp_path: Path) -> Callable[..., CrawlPlan]:
    """Return a function that makes a fast plan for sites of the test."""

    def make(*sites: Site | HostileSite, seeds: tuple[str, ...] = (), **values: Any) -> CrawlPlan:
        given = {
            "crawl_id": "test",
            "data_dir": tmp_path / "data",
            "delay_s": 0.0,
            "timeout_s": 5.0,
            "allow_private": frozenset(site.key for site in sites),
            **values,
        }
        return CrawlPlan(seeds=seeds or tuple(site.url() for site in sites), **given)

    return make


@pytest.fixture
def unused_port() -> int:
    """Return a port of loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
