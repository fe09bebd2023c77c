"""One crawl in a process of its own: ``python crawl_process.py '{"seeds": …}'``; prints the summary as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[3]))

from crawlers.plan import CrawlPlan
from crawlers.run import run_crawl
from tests.integration.crawlers.sinks import FileSink

options = json.loads(sys.argv[1])
folder = Path(options.pop("data_dir"))
sink = FileSink(folder / "events.sqlite")
plan = CrawlPlan(
    seeds=tuple(options.pop("seeds")),
    crawl_id=options.pop("crawl_id"),
    data_dir=folder,
    allow_private=frozenset(options.pop("allow_private")),
    **options,
)
summary = run_crawl(plan, sink)
sink.close()
sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")
