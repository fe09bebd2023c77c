"""What indexing a page costs when there are so many items already."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from elasticsearch import Elasticsearch

from events import PageJudged
from storage.elastic import ElasticStore
from storage.elastic.entries import Entry
from storage.elastic.pages import Outcome, Read
from storage.merge import Held, with_event
from storage.port import StoreUnavailableError
from tests.benchmarks.pages import variants

STOPS = (10_000, 100_000, 1_000_000)
_BATCH = 500
_FIRST = 32_000
"""Pages before all others: a server that has just been started compiles itself."""
_WARM = 8_000
"""Pages at each stop before those that are measured: filling is other work, and leaves caches cold."""
_MEASURED = 8_000
_FILLING = {"refresh_interval": "-1", "merge.scheduler.auto_throttle": False}
"""Settings while nobody searches: throttled, a merge of 10 GB had written 1 GB after six minutes."""
_MEASURING = {"refresh_interval": None, "merge.scheduler.auto_throttle": None}
_FLAGGED = 20
"""One page in so many of those that are measured is an item, as in the benchmark web."""


def growth(
    url: str, flagged: Sequence[PageJudged], others: Sequence[PageJudged], stops: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Fill an index with items; at each stop yield what a page costs there, in CPU µs of client and server.

    Items are written as the store writes them, but without looking for those that they are like, which would take an
    hour; the pages that are measured go the whole way.

    Parameters
    ----------
    url
        Of a server that nobody else uses.
    flagged, others
        Judged pages to make pages of.
    stops
        Numbers of items, in order.
    """
    store = ElasticStore({"hosts": [url], "request_timeout": 120}, prefix="growth")
    client = Elasticsearch(url, request_timeout=120)
    store.setup()
    items = variants(list(flagged), 1)
    mixed = _mixed(variants(list(flagged), 2), variants(list(others), 3))
    held = 0
    _write_all(store, islice(mixed, _FIRST))
    for stop in stops:
        client.indices.put_settings(index="growth-*", settings=_FILLING)
        _fill(store, islice(items, stop - held))
        held = stop
        _come_to_rest(client)
        client.indices.put_settings(index="growth-*", settings=_MEASURING)
        _write_all(store, islice(mixed, _WARM))
        batches = list(_batches(islice(mixed, _MEASURED)))
        began, own, servers = time.monotonic(), time.process_time(), _server_s(client)
        for batch in batches:
            store.upsert(batch)
        row = {
            "items": stop,
            "client_us": 1e6 * (time.process_time() - own) / _MEASURED,
            "server_us": 1e6 * (_server_s(client) - servers) / _MEASURED,
            "wall_us": 1e6 * (time.monotonic() - began) / _MEASURED,
            "bytes": {kind: _bytes_a_document(client, kind) for kind in ("ledger", "histories", "items")},
        }
        print(row, file=sys.stderr)
        yield row
    store.close()
    client.close()


def _mixed(flagged: Iterator[PageJudged], others: Iterator[PageJudged]) -> Iterator[PageJudged]:
    while True:
        yield next(flagged)
        yield from islice(others, _FLAGGED - 1)


def _batches(pages: Iterable[PageJudged]) -> Iterator[list[PageJudged]]:
    left = iter(pages)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _write_all(store: ElasticStore, pages: Iterable[PageJudged]) -> None:
    for batch in _batches(pages):
        store.upsert(batch)


def _fill(store: ElasticStore, pages: Iterable[PageJudged]) -> None:
    with ThreadPoolExecutor(2) as threads:
        waiting = set()
        for batch in _batches(pages):
            waiting.add(threads.submit(_write, store, batch))
            if len(waiting) > 4:
                done = next(iter(waiting))
                done.result()
                waiting.discard(done)
        for one in waiting:
            one.result()


def _write(store: ElasticStore, batch: Sequence[PageJudged]) -> None:
    now = datetime.now(UTC)
    nothing = {page.page_id: Read(held=Held(), entry=Entry(), place=None, found={}) for page in batch}
    after = {page.page_id: with_event(Held(), page, now) for page in batch}
    outcome = Outcome()
    try:
        store._pages._write(nothing, after, outcome)
    except StoreUnavailableError:  # it was told to take more than it can at once
        _write_again(store, batch)
    else:
        assert len(outcome.touched) == len(batch), outcome


def _write_again(store: ElasticStore, batch: Sequence[PageJudged]) -> None:
    """Write a batch of which some may be there, the whole way."""
    for wait_s in (1, 2, 5, 10, 30):
        time.sleep(wait_s)
        with suppress(StoreUnavailableError):
            assert not store.upsert(batch).rejected
            return
    raise TimeoutError("the server takes nothing")


def _come_to_rest(client: Elasticsearch) -> None:
    """Wait until no segments are being merged: that is the price of what was filled in, not of what is measured."""
    client.indices.refresh(index="growth-*")
    while client.indices.stats(index="growth-*", metric="merge")["_all"]["total"]["merges"]["current"]:
        time.sleep(1)


def _bytes_a_document(client: Elasticsearch, kind: str) -> float:
    found = client.indices.stats(index=f"growth-{kind}-v*", metric=["store", "docs"])["_all"]["primaries"]
    return float(found["store"]["size_in_bytes"] / max(1, found["docs"]["count"]))


def _server_s(client: Elasticsearch) -> float:
    (node,) = client.nodes.stats(metric="process")["nodes"].values()
    return float(node["process"]["cpu"]["total_in_millis"]) / 1_000
