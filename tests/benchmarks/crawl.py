"""`make bench-crawl`: guidewatch against plain Scrapy on one local web, in one run and one table.

Each way is a process of its own that crawls the same web from the same seeds, without delay and with the same
concurrency; the web is in another process. Speed is that of the whole web: until all is judged and stored, through
Kafka until all is fetched and published. CPU is that of the crawl with its judge, through Kafka that of the spider.
What judges behind Kafka runs elsewhere and is not measured here. Plain Scrapy comes first and last, and the others are
compared with the mean of both, since a machine's pace changes within half an hour. Harvest is the share of the pages
asked for, hubs included, that are truly of concern. For the memory a web of more than 50,000 pages is crawled with a
judge that costs nothing, since it is the crawl that is to stay small.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from consumers.topics import ensure_topics
from events import Topics
from tests.benchmarks.web import Web
from tests.benchmarks.web_server import fetched, serving
from tests.servers.kafka import running_kafka


class Way(NamedTuple):
    """A row of the table: its name, what crawls, and fields of the plan."""

    name: str
    way: str
    plan: dict[str, Any]


WAYS = {
    "scrapy": Way("plain Scrapy, LinkExtractor", "plain", {}),
    "off": Way("guidewatch embedded, focus off", "embedded", {"focus": "off"}),
    "soft": Way("guidewatch embedded, focus soft", "embedded", {"focus": "soft"}),
    "hard": Way("guidewatch embedded, focus hard", "embedded", {"focus": "hard"}),
    "kafka": Way("guidewatch into Kafka", "kafka", {"focus": "off"}),
    "scrapy-again": Way("plain Scrapy, after the others", "plain", {}),
}
"""Parts of the benchmark; the parts ``memory`` and ``memory-focused`` have their own web."""
_MEMORY = {"memory": "off", "memory-focused": "soft"}


def crawl(way: Way, seeds: Sequence[str], max_pages: int) -> dict[str, Any]:
    """Crawl in a process of its own and return what it says of itself."""
    options = {"way": way.way, "seeds": seeds, "max_pages": max_pages, "plan": way.plan}
    command = [sys.executable, "-m", "tests.benchmarks.one_crawl", json.dumps(options)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(way: Way, web: Web, origins: Sequence[str], max_pages: int) -> dict[str, Any]:
    """Return a row of the table."""
    fetched(origins[0])
    seeds = [origins[place.host] + web.path(place) for place in web.seeds()]
    said = through_kafka(seeds, max_pages) if way.way == "kafka" else crawl(way, seeds, max_pages)
    asked = fetched(origins[0])
    seconds = said["elapsed_s"] if "elapsed_s" in said else asked[-1][0] - asked[0][0]
    row = {
        "way": way.name,
        "pages": len(asked),
        "pages_per_s": round(len(asked) / seconds, 1),
        "cpu_ms_per_page": round(1_000 * said["cpu_s"] / len(asked), 2),
    }
    for stop in (500, 1_000):
        if len(asked) >= stop:
            row[f"harvest_{stop}"] = round(sum(concern for _, concern in asked[:stop]) / stop, 3)
    return {**row, "outcomes": said.get("outcomes", {})}


def through_kafka(seeds: Sequence[str], max_pages: int) -> dict[str, Any]:
    """Crawl with a spider on a broker of its own; what judges and indexes is elsewhere (`make bench-pipeline`)."""
    with running_kafka() as kafka, tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "GUIDEWATCH_CRAWL_MAX_DEPTH": "100",
            "GUIDEWATCH_CRAWL_MAX_PAGES_PER_HOST": str(max_pages),
            "GUIDEWATCH_CRAWL_CONTACT": "bench@example.org",
        }
        run = [sys.executable, "-m", "guidewatch"]
        root = Path(__file__).parents[2]
        environment["PYTHONPATH"] = str(root)

        def started(*words: str) -> subprocess.Popen[bytes]:
            return subprocess.Popen([*run, *words], env=environment, stderr=subprocess.DEVNULL, cwd=folder)

        ensure_topics({"bootstrap_servers": kafka.bootstrap}, Topics())
        spider = started("work", "spider", "--allow-private")
        try:
            command = [*run, "crawl", "start", *seeds, "--max-pages", str(max_pages), "--delay", "0", "--focus", "off"]
            subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL, cwd=folder)
        finally:
            spider.terminate()
            used = os.wait4(spider.pid, 0)[2]
    return {"cpu_s": used.ru_utime + used.ru_stime}


def speeds(parts: Sequence[str], web: Web, max_pages: int) -> list[dict[str, Any]]:
    """Return the rows of the table."""
    rows = []
    with serving(web) as origins:
        for part in parts:
            rows.append(measured(WAYS[part], web, origins, max_pages))
            print(_line(rows[-1]), file=sys.stderr)
    return rows


def memory(parts: Sequence[str], max_pages: int) -> list[dict[str, Any]]:
    """Return resident megabytes of the crawl by pages fetched."""
    rows = []
    web = Web(articles=max(40, -(-max_pages // 200)))
    with serving(web, warm=False) as origins:
        seeds = [origins[place.host] + web.path(place) for place in web.seeds()]
        for part in parts:
            focus = _MEMORY[part]
            said = crawl(Way(part, "truth", {"focus": focus}), seeds, max_pages)
            rows.append({"way": f"focus {focus}", "pages": said["pages"], "megabytes": said["megabytes"]})
            print(rows[-1], file=sys.stderr)
    return rows


def table(rows: Sequence[dict[str, Any]], memories: Sequence[dict[str, Any]]) -> str:
    """Return the tables in Markdown."""
    lines = [
        "| way | pages | pages/s | × plain Scrapy | CPU ms a page | harvest at 500 | at 1,000 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    plain = [row["pages_per_s"] for row in rows if row["way"] in (WAYS["scrapy"].name, WAYS["scrapy-again"].name)]
    base = sum(plain) / len(plain) if plain else None
    for row in rows:
        times = f"{row['pages_per_s'] / base:.2f}" if base else ""
        shown = (row["way"], f"{row['pages']:,}", row["pages_per_s"], times, row["cpu_ms_per_page"])
        harvests = (row.get("harvest_500", ""), row.get("harvest_1000", ""))
        lines.append("| " + " | ".join(map(str, (*shown, *harvests))) + " |")
    for row in memories:
        held = ", ".join(f"{float(size):,.0f} MB at {int(pages):,}" for pages, size in row["megabytes"].items())
        lines.append(f"\nMemory, {row['way']}, a judge that costs nothing: {held}.")
    return "\n".join(lines)


def _line(row: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = (*WAYS, *_MEMORY)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers end, too
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(known)}; all if none is named")
    parser.add_argument("--pages", type=int, default=50_000, help="fetch at most so many; the web has some 42,000")
    parser.add_argument("--memory-pages", type=int, default=50_000, help="pages of the crawls that memory is taken of")
    parser.add_argument("--articles", type=int, default=165, help="articles of a section; the web has 240 sections")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another web")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    given = parser.parse_args()
    parts = given.parts or known
    if unknown := set(parts) - set(known):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    rows = speeds([part for part in parts if part in WAYS], Web(given.seed, articles=given.articles), given.pages)
    memories = memory([part for part in parts if part in _MEMORY], given.memory_pages)
    print(json.dumps({"ways": rows, "memory": memories}) if given.json else table(rows, memories))


if __name__ == "__main__":
    main()
