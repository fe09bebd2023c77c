"""Reads what is there at the end: the topics as a committed reader sees them, the store, the vault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from consumers.dead_letters import read_letter
from consumers.vault import Vault, read_keys
from consumers.vault.verifying import verify
from events import PageFound, PageJudged, PoisonError, Topics, UrlEnded, decode
from storage import ItemQuery, LedgerQuery
from storage.elastic import ElasticStore
from tests.chaos.checking import Found, ItemSeen, Judged, Letter, Observed

_ALL = 10_000_000


def observe(kafka: Mapping[str, Any], topics: Topics, store: ElasticStore, vault: Path) -> Observed:
    """Return all of it."""
    store.refresh()
    seen = Observed()
    seen.found = [
        Found(event.id, event.page_id, isinstance(event, PageFound))
        for event in _events(kafka, topics.pages_found, PageFound, UrlEnded)
    ]
    seen.judged = [_judged(event) for event in _events(kafka, topics.pages_judged, PageJudged, UrlEnded)]
    for topic in (topics.pages_found, topics.pages_judged, topics.labels_recorded, topics.crawl_requests):
        for message in messages(kafka, topics.dead_letters(topic)):
            facts = read_letter(tuple(message.headers))
            seen.letters.append(Letter(facts.stage, facts.topic, facts.partition, facts.offset))
    seen.ledger = [(row.page_id, row.outcome) for row in store.ledger(LedgerQuery(limit=_ALL)).rows]
    seen.items = [
        ItemSeen(item.page_id, item.content_id, tuple(one.id for one in item.decisions))
        for item in store.items(ItemQuery())
    ]
    seen.decisions = [label.id for label in store.decisions()]
    _look_into(vault, seen)
    return seen


def _look_into(folder: Path, seen: Observed) -> None:
    if not folder.exists():
        return
    vault = Vault(folder, folder.parent / "warc")
    vault.log.read()
    seen.evidence = set(vault.log.contents.pages)
    seen.vault_changes = [f"{one.where}: {one.what}" for one in verify(folder, read_keys("")).changes]


def _events(kafka: Mapping[str, Any], topic: str, *kinds: type) -> Iterator[Any]:
    """Yield the committed events of a topic; poison is for the dead letters to speak of."""
    for message in messages(kafka, topic):
        try:
            yield decode(message.value, *kinds)
        except PoisonError:
            continue


def _judged(event: PageJudged | UrlEnded) -> Judged:
    version = (event.fetched_at or event.at, event.at)
    if isinstance(event, UrlEnded):
        return Judged(event.id, event.page_id, event.outcome, version)
    evidence = event.evidence.sha256 if event.verdict.flagged and event.evidence is not None else ""
    return Judged(event.id, event.page_id, event.verdict.outcome, version, evidence)


def messages(kafka: Mapping[str, Any], topic: str) -> Iterator[Any]:
    """Yield every message of a topic that is committed now."""
    consumer = KafkaConsumer(
        **kafka, isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(one) < ends[one] for one in partitions):
            for some in consumer.poll(200).values():
                yield from some
    finally:
        consumer.close()
