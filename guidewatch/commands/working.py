"""`guidewatch setup` and `guidewatch work`: the distributed installation."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from guidewatch import composition, output
from guidewatch.errors import UserMistakeError
from guidewatch.heartbeat import beating
from guidewatch.metrics.serving import shown
from guidewatch.stopping import stop_on_signals

if TYPE_CHECKING:
    from consumers.connection import Membership
    from consumers.loop import ConsumeLoop
    from consumers.stage import Stage
    from consumers.status import Summary
    from crawlers.distributed.spider import Spider, SpiderSummary
    from guidewatch.metrics.process import Process

StageName = Literal["spider", "classify", "index", "label", "evidence"]
_RESTART_S = 45.0
"""A static member may be away for so long and keeps its partitions."""
_DEAD_S = 15.0
"""The partitions of another that dies go to the others after so long."""


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(setup)
    app.command()(work)


def setup(as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False) -> None:
    """Make topics, index templates and aliases; as often as you like."""
    from consumers.topics import TopicPlan, ensure_topics
    from guidewatch import settings

    chosen = settings.load(settings.KafkaSettings)
    store = composition.elastic_store()
    try:
        plan = TopicPlan(partitions=chosen.partitions, replication=chosen.replication)
        report = ensure_topics(composition.kafka_options(), composition.topics(), plan)
        store.setup()
        health = store.health()
    finally:
        store.close()
    if as_json:
        output.emit({"topics": report, "store": health})
    for name, topics in (
        ("created", report.created),
        ("there already", report.existing),
        ("differs", report.differing),
    ):
        if topics:
            output.say(f"Topics {name}: {', '.join(topics)}")
    output.say(f"Store: {health}")


def work(
    stage: Annotated[StageName, typer.Argument(help="Which stage this process is.")],
    group: Annotated[
        str | None, typer.Option(help="Consumer group; default: the stage's name, with the topic prefix.")
    ] = None,
    instance: Annotated[
        str | None, typer.Option(help="Name of this process, unique in its group and best kept over restarts.")
    ] = None,
    static: Annotated[
        bool,
        typer.Option(
            "--static",
            help="Keep the partitions for the next process of this instance, for 45 seconds; not for spiders.",
        ),
    ] = False,
    heartbeat: Annotated[
        Path | None, typer.Option(help="File that is renewed every ten seconds while the process is well.")
    ] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Spiders only: allow private, loopback and link-local addresses.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Run one stage until SIGTERM or Ctrl-C; start more of a stage to go faster."""
    from guidewatch import settings

    prefix = settings.load(settings.KafkaSettings).topic_prefix
    if static and (instance is None or stage == "spider"):
        raise UserMistakeError("--static needs --instance, and a stage that is not spider")
    group = group or ".".join(filter(None, (prefix, f"guidewatch-{stage}")))
    instance = instance or f"{socket.gethostname()}-{os.getpid()}"
    if stage == "spider":
        summary: SpiderSummary | Summary = _spider(group, instance, heartbeat, allow_private)
    elif allow_private:
        raise UserMistakeError(f"--allow-private is for spiders: {stage} fetches nothing")
    else:
        summary = _consumer(stage, _membership(group, instance, static=static), heartbeat)
    if as_json:
        output.emit({"stage": stage, "instance": instance, "summary": summary})
    output.say(f"{stage} stopped: {summary}")


def _spider(group: str, instance: str, heartbeat: Path | None, allow_private: bool) -> SpiderSummary:
    from crawlers.distributed.connection import Membership
    from crawlers.distributed.spider import Spider, SpiderOptions
    from guidewatch import settings

    chosen = settings.load(settings.CrawlSettings)
    options = SpiderOptions(
        warc_dir=settings.load(settings.EvidenceSettings).warc_dir,
        allow_private=frozenset("*") if allow_private else frozenset(),
        concurrency=chosen.concurrency,
        off_limits=composition.off_limits(chosen.off_limits),
        ports=composition.ports(chosen.ports),
    )
    spider = Spider(composition.kafka_options(), composition.topics(), Membership(group, instance), options)
    with (
        stop_on_signals() as stop,
        beating(heartbeat, lambda: spider.status().turned_at_s, spider.status),
        shown(lambda: _spider_process(spider)),
    ):
        return spider.run(stop)


def _spider_process(spider: Spider) -> Process:
    from guidewatch.metrics import processes

    return processes.spider(spider.status)


def _consumer(stage: StageName, member: Membership, heartbeat: Path | None) -> Summary:
    from consumers.loop import ConsumeLoop
    from crawlers.collecting import sparing_what_stays

    with stop_on_signals() as stop, _stage(stage) as made, sparing_what_stays():
        loop = ConsumeLoop(made.stage, composition.kafka_options(), member, _now)
        with (
            beating(heartbeat, lambda: loop.status().turned_at_s, lambda: _shown(loop)),
            shown(lambda: _process(loop, made)),
        ):
            return loop.run(stop)


def _process(loop: ConsumeLoop, made: _Made) -> Process:
    from guidewatch.metrics import processes

    return processes.consumer(loop.status, health=made.health, model=made.model)


@dataclass(frozen=True)
class _Made:
    """A stage, and what its metrics tell of what is behind it."""

    stage: Stage
    health: Callable[[], str] | None = None
    model: str = ""


@contextmanager
def _stage(name: StageName) -> Iterator[_Made]:
    """Yield the stage with all that it needs, and release that at the end."""
    from guidewatch import settings

    topics = composition.topics()
    if name == "classify":
        from consumers.classify import ClassifyStage

        slice_size = settings.load(settings.ClassifierSettings).batch_pages
        classifier = composition.classifier()
        yield _Made(ClassifyStage(classifier, topics, _now, slice_size=slice_size), model=classifier.version)
    elif name == "evidence":
        from consumers.evidence import EvidenceStage

        chosen = settings.load(settings.EvidenceSettings)
        yield _Made(EvidenceStage(composition.vault(chosen.vault_dir, chosen.warc_dir), topics, _now))
    else:
        from consumers.index import IndexStage
        from consumers.label import LabelStage
        from storage import StoreUnavailableError

        store = composition.elastic_store()
        try:
            with suppress(StoreUnavailableError):
                store.health()  # wrong credentials end the process here; later, the loop waits for better ones
            stage = IndexStage(store, topics) if name == "index" else LabelStage(store, topics)
            yield _Made(stage, health=store.health)
        finally:
            store.close()


def _shown(loop: ConsumeLoop) -> dict[str, Any]:
    status = loop.status()
    return {
        "stage": status.stage,
        "state": status.state,
        "failure": status.failure,
        "lag": {f"{topic}-{partition}": lag for (topic, partition), lag in status.lag.items()},
        "last_commit_at": status.last_commit_at,
        "summary": status.summary,
    }


def _membership(group: str, instance: str, *, static: bool) -> Membership:
    """Return a member whose place is kept over a restart, or given to another soon after its death."""
    from consumers.connection import Membership

    return Membership(group, instance, static=static, session_timeout_s=_RESTART_S if static else _DEAD_S)


def _now() -> datetime:
    return datetime.now(UTC)
