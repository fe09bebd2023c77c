"""What people do with crawls: start one or add seeds, look, stop."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from types import TracebackType
from typing import Any

import msgspec
from kafka.errors import KafkaError

from crawlers.distributed.background import within
from crawlers.distributed.connection import (
    ClientOptions,
    KafkaRefusedError,
    KafkaUnavailableError,
    brief,
    is_permanent,
    open_producer,
    open_reader,
)
from crawlers.distributed.unit import Message, request_message
from crawlers.distributed.view import CrawlsView
from crawlers.distributed.watching import Watch
from crawlers.frontier import Kind
from crawlers.identity import to_link
from crawlers.plan import CrawlPlan
from events import CrawlRequest, CrawlState, Topics, encode, new_id

_SHOWN_SEEDS = 20
_PATIENCE_S = 30.0
"""The client waits for the end of a transaction without a limit of its own, where a connection breaks in it."""


class UnknownCrawlError(ValueError):
    """No crawl of this name, or several; the message is one line for the user."""


class CrawlOverError(ValueError):
    """The crawl has ended, or is ending; the message is one line for the user."""


class Crawls(AbstractContextManager["Crawls"]):
    """A look at all crawls of an installation, and the way to begin and stop one.

    Parameters
    ----------
    kafka
        Client options of kafka-python.
    topics
        Names of the topics.

    Raises
    ------
    KafkaUnavailableError, KafkaRefusedError
    """

    def __init__(self, kafka: ClientOptions, topics: Topics) -> None:
        self._kafka = kafka
        self._topics = topics
        reader = open_reader(kafka)
        if missing := sorted({topics.crawls, topics.crawl_progress, topics.crawl_requests} - reader.topics()):
            reader.close()
            raise KafkaRefusedError(f"Kafka has no topic {', '.join(missing)}: run `guidewatch setup` first")
        self._watch = Watch(reader, open_reader(kafka, committed=False), topics)
        self._watch.catch_up()

    @property
    def view(self) -> CrawlsView:
        """What is known, as of the last `refresh`."""
        return self._watch.view

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.close()

    def refresh(self, wait_ms: int = 200) -> None:
        """Read on, waiting a while for news."""
        self._watch.read(wait_ms)

    def named(self, name: str) -> CrawlState:
        """Return the crawl with this id, or the only one whose id begins so.

        Raises
        ------
        UnknownCrawlError
        """
        crawls = self.view.crawls
        if name in crawls:
            return crawls[name]
        found = [state for crawl_id, state in crawls.items() if crawl_id.startswith(name)]
        if len(found) == 1:
            return found[0]
        said = f"{len(found)} crawls begin with {name!r}" if found else f"there is no crawl {name!r}"
        raise UnknownCrawlError(f"{said}; `guidewatch crawl info` lists them")

    def start(self, plan: CrawlPlan, at: datetime) -> CrawlState:
        """Begin the crawl of ``plan``, or add its seeds where it runs already; all of them become visible at once.

        The limits of a running crawl stay.

        Raises
        ------
        CrawlOverError
            It has ended.
        KafkaUnavailableError, KafkaRefusedError
        """
        known = self.view.crawls.get(plan.crawl_id)
        if known is not None and known.phase != "running":
            raise CrawlOverError(
                f"crawl {plan.crawl_id} has ended ({known.because}): start another, with another --id or none"
            )
        seeds = [(seed, Kind.SOURCE if seed in plan.source_seeds else Kind.PAGE) for seed in plan.seeds]
        links = [link for link in (to_link(seed, 0, kind=kind) for seed, kind in seeds) if link is not None]
        state = _joined(known, plan, at) if known is not None else _new(plan, at)
        requests = [
            CrawlRequest(
                id=new_id(),
                at=at,
                url=link.url,
                page_id=link.page_id,
                host=link.host,
                crawl_id=plan.crawl_id,
                priority=link.priority,
                source=link.kind is Kind.SOURCE,
            )
            for link in links
        ]
        messages = [self._state(state), *(request_message(request, self._topics) for request in requests)]
        name = plan.crawl_id
        self._write(messages, f"`guidewatch crawl info {name}` shows it, else start it again with --id {name}")
        return state

    def stop(self, state: CrawlState, at: datetime) -> CrawlState:
        """End a crawl: nothing more is fetched, and what is open is refused.

        Raises
        ------
        CrawlOverError
            It has ended.
        KafkaUnavailableError, KafkaRefusedError
        """
        if state.phase == "ended":
            raise CrawlOverError(f"crawl {state.crawl_id} has ended ({state.because})")
        stopped = msgspec.structs.replace(state, id=new_id(), at=at, phase="ending", because="stopped")
        name = state.crawl_id
        self._write([self._state(stopped)], f"`guidewatch crawl info {name}` says whether it ends, else stop it again")
        return stopped

    def _state(self, state: CrawlState) -> Message:
        return Message(self._topics.crawls, state.crawl_id.encode(), encode(state))

    def _write(self, messages: Sequence[Message], how_to_see: str) -> None:
        producer = open_producer(self._kafka, f"guidewatch-crawls-{secrets.token_hex(8)}", transaction_timeout_s=60.0)
        try:
            within(_PATIENCE_S, lambda: _committed(producer, messages), "crawls-transaction")
        except TimeoutError as error:
            raise KafkaUnavailableError(
                f"Kafka has not said within {_PATIENCE_S:.0f} s whether it took this: in a minute {how_to_see}"
            ) from error
        except KafkaError as error:
            kind = KafkaRefusedError if is_permanent(error) else KafkaUnavailableError
            raise kind(f"Kafka does not take what is said of a crawl: {brief(error)}") from error
        finally:
            with suppress(KafkaError):
                producer.close(timeout=5)


def _committed(producer: Any, messages: Sequence[Message]) -> None:
    producer.begin_transaction()
    sent = [producer.send(one.topic, value=one.value, key=one.key) for one in messages]
    producer.flush()
    for future in sent:
        future.get(timeout=10)
    producer.commit_transaction()


def _new(plan: CrawlPlan, at: datetime) -> CrawlState:
    return CrawlState(
        id=new_id(),
        at=at,
        crawl_id=plan.crawl_id,
        started_at=at,
        contact=plan.contact,
        user_agent=plan.user_agent,
        max_pages=plan.max_pages,
        max_pages_per_host=plan.max_pages_per_host,
        max_depth=plan.max_depth,
        delay_s=plan.delay_s,
        timeout_s=plan.timeout_s,
        max_bytes=plan.max_bytes,
        focus=plan.focus,
        seeds=plan.seeds[:_SHOWN_SEEDS],
        requested=len(plan.seeds),
    )


def _joined(known: CrawlState, plan: CrawlPlan, at: datetime) -> CrawlState:
    seeds = tuple(dict.fromkeys((*known.seeds, *plan.seeds)))[:_SHOWN_SEEDS]
    return msgspec.structs.replace(known, id=new_id(), at=at, seeds=seeds, requested=known.requested + len(plan.seeds))
