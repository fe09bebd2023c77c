"""One crawl of the benchmark web in a process of its own: ``python -m tests.benchmarks.one_crawl '{"way": …}'``.

Prints one JSON object: pages, seconds, CPU seconds of the process, and resident megabytes by pages fetched.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

CONCURRENCY, PER_HOST = 16, 4
_MEGABYTE = 1024 * 1024
_STOPS = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


class Gauge:
    """Resident memory when so many pages were fetched."""

    def __init__(self) -> None:
        self.megabytes: dict[int, float] = {}

    def look(self, pages: int) -> None:
        for stop in _STOPS:
            if pages >= stop and stop not in self.megabytes:
                held = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
                self.megabytes[stop] = round(held / _MEGABYTE, 1)


def plain(seeds: Sequence[str], max_pages: int, gauge: Gauge) -> int:
    """Crawl with Scrapy as its tutorial does: follow what LinkExtractor finds; nothing is judged or stored."""
    import scrapy
    from scrapy.crawler import CrawlerProcess
    from scrapy.linkextractors import LinkExtractor

    count = 0

    class Plain(scrapy.Spider):
        name = "plain"
        start_urls = tuple(seeds)
        extractor = LinkExtractor()

        def parse(self, response: Any) -> Any:
            nonlocal count
            count += 1
            gauge.look(count)
            for link in self.extractor.extract_links(response):
                yield scrapy.Request(link.url, self.parse)

    process = CrawlerProcess(
        {
            "CONCURRENT_REQUESTS": CONCURRENCY,
            "DOWNLOAD_DELAY": 0,
            "ROBOTSTXT_OBEY": False,
            "DEPTH_PRIORITY": 1,
            "SCHEDULER_DISK_QUEUE": "scrapy.squeues.PickleFifoDiskQueue",
            "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
            "CLOSESPIDER_PAGECOUNT": max_pages,
            "LOG_LEVEL": "ERROR",
            "TELNETCONSOLE_ENABLED": False,
        }
    )
    process.crawl(Plain)
    process.start()
    return count


def guidewatch(seeds: Sequence[str], max_pages: int, gauge: Gauge, options: dict[str, Any]) -> int:
    """Crawl as `guidewatch run` does."""
    from crawlers.options import RunOptions
    from crawlers.plan import CrawlPlan
    from crawlers.run import run_crawl

    with tempfile.TemporaryDirectory(prefix="guidewatch-bench-") as folder:
        data = Path(folder)
        plan = CrawlPlan(
            seeds=tuple(seeds), crawl_id="0" * 32, data_dir=data, allow_private=frozenset("*"), delay_s=0,
            max_pages=max_pages, max_pages_per_host=max_pages, max_depth=100, concurrency=CONCURRENCY,
            concurrency_per_host=PER_HOST, **options.get("plan", {}),
        )  # fmt: skip
        with ExitStack() as stack:
            sink = _sink(data, options, stack)
            began = time.monotonic()
            summary = run_crawl(plan, sink, options=RunOptions(on_progress=lambda progress: gauge.look(progress.pages)))
            sink.close()
            options["elapsed_s"] = time.monotonic() - began
        options["finished"] = summary.ended_because
        options["outcomes"] = dict(summary.outcomes)
        return summary.pages


def _sink(data: Path, options: dict[str, Any], stack: ExitStack) -> Any:
    from guidewatch import composition
    from guidewatch.commands.crawling import embedded_sink
    from guidewatch.judge_process import JudgeProcess

    if options["way"] == "none":
        return _Nowhere()
    judge = stack.enter_context(closing(JudgeProcess(None))) if options["way"] == "embedded" else truthful()
    return embedded_sink(judge, stack.enter_context(closing(composition.sqlite_store(data))), data)


class _Nowhere:
    """A sink that keeps nothing, for the profile of the crawler alone."""

    def put(self, event: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(None)
        return future

    def flush(self) -> None: ...

    def close(self) -> None: ...


def truthful() -> Any:
    """Return a judge that knows the passages by heart and costs nothing, for what does not measure the judge."""
    from events import PageJudged, Verdict
    from tests.benchmarks.web import Web

    web = Web()
    of_concern = {
        f"{passage.title}. {passage.text}"[:60]
        for (_, concern), passages in web.passages.items()
        for passage in passages
        if concern
    }

    def judge(pages: Sequence[Any]) -> list[Any]:
        return [_judged(page, any(line[:60] in of_concern for line in page.text.split("\n"))) for page in pages]

    def _judged(page: Any, concern: bool) -> Any:
        verdict = Verdict(
            flagged=False, score=0.95 if concern else 0.03, threshold=0.5, language="en", outcome="not_flagged",
            model="2026.01-00000000",
        )  # fmt: skip
        return PageJudged(
            id=page.id, at=page.at, page_id=page.page_id, url=page.url, host=page.host, crawl_id=page.crawl_id,
            content_id=page.content_id, fetched_at=page.fetched_at, verdict=verdict, depth=page.depth,
            parent_url=page.parent_url, status=page.status, media_type=page.media_type, evidence=page.evidence,
        )  # fmt: skip

    return judge


def main() -> None:
    options = json.loads(sys.argv[1])
    gauge = Gauge()
    began = time.monotonic()
    if options["way"] == "plain":
        pages = plain(options["seeds"], options["max_pages"], gauge)
        options["elapsed_s"] = time.monotonic() - began
    else:
        pages = guidewatch(options["seeds"], options["max_pages"], gauge, options)
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    said = {"pages": pages, "elapsed_s": options["elapsed_s"], "cpu_s": cpu, "megabytes": gauge.megabytes}
    sys.stdout.write(json.dumps({**said, **{k: options[k] for k in ("finished", "outcomes") if k in options}}) + "\n")


if __name__ == "__main__":
    main()
