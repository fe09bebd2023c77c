"""A disk that is really full under a crawl: one clear line, and the next run loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from crawlers.evidence import EvidenceError
from crawlers.frontier import FrontierFailedError
from crawlers.plan import CrawlPlan
from crawlers.run import run_crawl
from events import PageFound, UrlEnded
from tests.integration.crawlers.sinks import ListSink
from tests.integration.crawlers.site import Site, html
from tests.integration.disks import Disk, small_disk

PAGES = 40


class FillingSink(ListSink):
    """Takes five events; then the disk is full."""

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self._disk = disk

    def put(self, event: PageFound | UrlEnded) -> Future[None]:
        if len(self.events) == 5:
            self._disk.fill()
        return super().put(event)


def test_a_crawl_ends_in_one_line_and_the_next_one_fetches_what_is_missing(
    start_site: Callable[..., Site], plan_for: Callable[..., CrawlPlan], tmp_path: Path
) -> None:
    links = [f"/{number}" for number in range(PAGES)]
    site = start_site({"/": html("start", *links)}, fallback=lambda path: html(f"This is bed {path} of the garden."))
    with small_disk(tmp_path / "disk", "8m") as disk:
        plan, filling, after = plan_for(site, data_dir=disk.path / "data"), FillingSink(disk), ListSink()
        with pytest.raises((EvidenceError, FrontierFailedError)) as caught:
            run_crawl(plan, filling)
        assert "\n" not in str(caught.value)
        assert "No space left" in str(caught.value) or "disk is full" in str(caught.value)
        disk.free()
        summary = run_crawl(plan, after)
        assert (summary.resumed, summary.finished) == (True, True)
    assert 5 <= len(filling.events) <= PAGES
    ids = {event.url: event.id for event in [*filling.events, *after.events]}
    assert sorted(ids) == sorted(site.url(path) for path in ("/", *links))
