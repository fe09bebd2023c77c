"""`make bench-pipeline`: classify and index on a Kafka and an Elasticsearch of their own, on this machine.

Overhead is what the two workers cost beyond the bare classifier in one process, in CPU; the servers' own CPU stands
beside it. Latency is from the time stamp of a page in ``pages.found`` until a search finds its row in the ledger, at
shares of the capacity that was measured just before; one page in some is looked for, every tenth of a second. Growth is
what a page costs in client and server when the index has so many items already.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from classifier.registry import load
from consumers.connection import open_producer
from consumers.judging import judge
from consumers.topics import TopicPlan, ensure_topics
from events import PageFound, PageJudged, Topics, encode
from storage.elastic import ElasticStore
from tests.benchmarks.index_growth import STOPS, growth
from tests.benchmarks.pages import found_pages
from tests.benchmarks.processes import cpu_s, peak_mb, stages
from tests.benchmarks.web import Web
from tests.servers.elasticsearch import running_elasticsearch
from tests.servers.kafka import KafkaServer, running_kafka

SHARES = (0.25, 0.5, 0.75)
_BATCH = 32
_LOOK_S = 0.1
_LOOKED_FOR_A_SECOND = 20


def bare(pages: Sequence[PageFound]) -> tuple[float, list[PageJudged]]:
    """Return CPU ms a page of the classifier alone, and what it says."""
    with threadpool_limits(1):
        model = load()
        judge(model, pages[:_BATCH], _now)
        began, said = time.process_time(), []
        for start in range(0, len(pages), _BATCH):
            said += judge(model, pages[start : start + _BATCH], _now)
        return 1_000 * (time.process_time() - began) / len(pages), said


class Pipeline:
    """The servers, with a producer of pages and a searcher."""

    def __init__(self, kafka: KafkaServer, url: str) -> None:
        self.kafka = kafka
        self.store = ElasticStore({"hosts": [url]})
        self.client: Any = self.store._connection.client
        self.store.setup()
        ensure_topics({"bootstrap_servers": kafka.bootstrap}, Topics(), TopicPlan(partitions=2))
        self.producer = open_producer({"bootstrap_servers": kafka.bootstrap}, timeout_s=10)
        self.settings = {
            "GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "GUIDEWATCH_ELASTICSEARCH_HOSTS": url,
        }

    def send(self, pages: Sequence[PageFound]) -> None:
        """Publish pages as a spider does."""
        for page in pages:
            self.producer.send(Topics().pages_found, key=page.page_id.encode(), value=encode(page))

    def rows(self) -> int:
        """Return how many pages a search finds."""
        return int(self.client.count(index="guidewatch-ledger")["count"])

    def cpu_s(self, pids: dict[str, int]) -> dict[str, float]:
        """Return CPU seconds so far of each process."""
        (node,) = self.client.nodes.stats(metric="process")["nodes"].values()
        assert self.kafka._process is not None
        servers = {
            "kafka": cpu_s(self.kafka._process.pid),
            "elasticsearch": node["process"]["cpu"]["total_in_millis"] / 1e3,
        }
        return {name: cpu_s(pid) for name, pid in pids.items()} | servers

    def wait_for(self, rows: int, limit_s: float) -> None:
        """Return when a search finds so many pages."""
        deadline = time.monotonic() + limit_s
        while self.rows() < rows:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.rows()} pages of {rows} after {limit_s:.0f} s")
            time.sleep(0.2)


def capacity(pipeline: Pipeline, pids: dict[str, int], pages: Sequence[PageFound]) -> dict[str, Any]:
    """Return pages a second of a backlog, and CPU ms a page of each process, once workers and servers are warm.

    A Java server compiles itself while it works: its first thousands of pages cost several times as much.
    """
    warm, rest = pages[: len(pages) // 2], pages[len(pages) // 2 :]
    before = pipeline.rows()
    pipeline.send(warm)
    pipeline.producer.flush()
    pipeline.wait_for(before + len(warm), 300)
    used, began = pipeline.cpu_s(pids), time.monotonic()
    pipeline.send(rest)
    pipeline.producer.flush()
    pipeline.wait_for(before + len(pages), 600)
    seconds, after = time.monotonic() - began, pipeline.cpu_s(pids)
    cpu = {name: 1_000 * (after[name] - used[name]) / len(rest) for name in after}
    return {
        "pages_per_s": len(rest) / seconds,
        "cpu_ms": cpu,
        "peak_mb": {name: peak_mb(pid) for name, pid in pids.items()},
    }


def latency(pipeline: Pipeline, pages: Sequence[PageFound], rate: float) -> dict[str, Any]:
    """Publish ``pages`` at ``rate`` a second; return percentiles of the seconds until a search finds them."""
    every = max(1, round(rate / _LOOKED_FOR_A_SECOND))
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set() or len(seen) < len(sent):
            began = time.monotonic()
            open_ = [page_id for page_id in list(sent) if page_id not in seen][:1_000]
            if open_:
                query = {"ids": {"values": open_}}
                answer = pipeline.client.search(index="guidewatch-ledger", query=query, source=False, size=len(open_))
                now = time.monotonic()
                seen.update({hit["_id"]: now for hit in answer["hits"]["hits"]})
            if ended.is_set() and began > deadline:
                return
            time.sleep(max(0.0, _LOOK_S - (time.monotonic() - began)))

    deadline = time.monotonic() + len(pages) / rate + 60
    looking = threading.Thread(target=look)
    looking.start()
    began = time.monotonic()
    for number, page in enumerate(pages):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        if number % every == 0:
            sent[page.page_id] = time.monotonic()
        pipeline.send([page])
    pipeline.producer.flush()
    ended.set()
    looking.join()
    waits = [seen[page_id] - at for page_id, at in sent.items() if page_id in seen]
    p50, p95, p99 = np.percentile(waits, (50, 95, 99))
    return {
        "pages_per_s": rate,
        "p50_s": p50,
        "p95_s": p95,
        "p99_s": p99,
        "looked_for": len(sent),
        "unseen": len(sent) - len(waits),
    }


def _now() -> datetime:
    return datetime.now(UTC)


def table(found: dict[str, Any]) -> str:
    """Return the tables in Markdown."""
    cpu, alone = found["capacity"]["cpu_ms"], found["bare_ms"]
    workers = cpu["classify"] + cpu["index"]
    servers = cpu["kafka"] + cpu["elasticsearch"]
    peaks = ", ".join(f"{name} {peak:.0f} MB" for name, peak in found["capacity"]["peak_mb"].items())
    lines = [
        "| what | CPU ms a page | of the bare classifier |",
        "| --- | ---: | ---: |",
        f"| classifier alone, in one process | {alone:.2f} | 1.00 |",
        *(f"| {name} | {value:.2f} | {value / alone:.2f} |" for name, value in cpu.items()),
        f"| both workers: overhead | {workers - alone:.2f} | {workers / alone - 1:+.0%} |",
        f"| with the servers: overhead | {workers + servers - alone:.2f} | {(workers + servers) / alone - 1:+.0%} |",
        f"\nCapacity: {found['capacity']['pages_per_s']:.0f} pages a second, workers and servers on this machine.",
        f"Peak memory: {peaks}.\n",
    ]
    if found["latency"]:
        lines += ["| share of capacity | pages/s | p50 s | p95 s | p99 s |", "| --- | ---: | ---: | ---: | ---: |"]
        for share, row in found["latency"].items():
            waits = " | ".join(f"{row[name]:.2f}" for name in ("p50_s", "p95_s", "p99_s"))
            lines.append(f"| {float(share):.0%} | {row['pages_per_s']:.0f} | {waits} |")
    if found["growth"]:
        first = found["growth"][0]
        base = first["client_us"] + first["server_us"]
        lines += [
            "",
            "| items in the index | client µs a page | server µs a page | of the first |",
            "| ---: | ---: | ---: | ---: |",
        ]
        for row in found["growth"]:
            both = row["client_us"] + row["server_us"]
            lines.append(f"| {row['items']:,} | {row['client_us']:.0f} | {row['server_us']:.0f} | {both / base:.2f} |")
        sizes = ", ".join(f"{kind} {size:,.0f}" for kind, size in found["growth"][-1]["bytes"].items())
        lines.append(f"\nBytes a document on the disk, with its part of the index: {sizes}.")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=40_000, help="pages for capacity; the first half warms up")
    parser.add_argument("--seconds", type=int, default=40, help="of load at each share of capacity; 0: no latency")
    parser.add_argument("--items", type=int, nargs="*", default=STOPS, help="stops of growth; none: no growth")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    given = parser.parse_args()
    source = found_pages(Web())
    pages = list(islice(source, given.pages))
    found: dict[str, Any] = {"latency": {}, "growth": []}
    found["bare_ms"], judged = bare(pages[: min(2_000, len(pages))])
    print(f"bare classifier: {found['bare_ms']:.2f} ms a page", file=sys.stderr)
    with running_kafka() as kafka, running_elasticsearch() as elastic:
        pipeline = Pipeline(kafka, elastic.url)
        with stages(("classify", "index"), pipeline.settings) as pids:
            found["capacity"] = capacity(pipeline, pids, pages)
            print(found["capacity"], file=sys.stderr)
            for share in SHARES if given.seconds else ():
                rate = share * found["capacity"]["pages_per_s"]
                found["latency"][str(share)] = latency(
                    pipeline, list(islice(source, round(rate * given.seconds))), rate
                )
                print(share, found["latency"][str(share)], file=sys.stderr)
    if given.items:
        flagged = [page for page in judged if page.verdict.flagged]
        others = [page for page in judged if not page.verdict.flagged]
        with running_elasticsearch(heap="4g", collector="G1") as elastic:
            found["growth"] = list(growth(elastic.url, flagged, others, given.items))
    print(json.dumps(found) if given.json else table(found))
    if unseen := sum(row["unseen"] for row in found["latency"].values()):
        sys.exit(f"{unseen} of the pages that were looked for were never found")


if __name__ == "__main__":
    main()
