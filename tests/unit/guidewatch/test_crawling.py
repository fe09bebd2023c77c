"""How a crawl ended is said on standard error, and by the exit status."""

from __future__ import annotations

import json

import pytest

from crawlers.progress import CrawlSummary
from guidewatch.commands.crawling import close
from guidewatch.errors import CommandFailedError


def summary(because: str, *, finished: bool) -> CrawlSummary:
    return CrawlSummary(
        crawl_id="c" * 32, resumed=False, finished=finished, ended_because=because, pages=3, outcomes={}, reasons={},
        hosts=1, left_queued=4, beyond_depth=0, too_long=0, not_due=0, fetched=5, rate=2.0, elapsed_s=2.5,
    )  # fmt: skip


@pytest.mark.parametrize("because", ["frontier dry", "limit reached"])
def test_crawl_that_is_over_is_no_failure(because: str) -> None:
    close(summary(because, finished=True), {}, as_json=False)


@pytest.mark.parametrize("because", ["SIGTERM", "SIGINT", "stopped"])
def test_crawl_that_somebody_stopped_is_no_failure(because: str, capsys: pytest.CaptureFixture[str]) -> None:
    close(summary(because, finished=False), {}, as_json=False)
    assert "Start it again with the same --data" in capsys.readouterr().err


@pytest.mark.parametrize("because", ["evidence: No space left on device", "sink: the store cannot be reached"])
@pytest.mark.parametrize("failing", [True, False])
def test_crawl_that_could_not_keep_what_it_found_is_a_failure(
    because: str, failing: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandFailedError, match=because):
        close(summary(because, finished=False), {}, as_json=True, failing=failing)
    said = capsys.readouterr()
    assert json.loads(said.out)["summary"]["ended_because"] == because
    assert "Start it again" in said.err
