"""`guidewatch setup` and `guidewatch work`: the distributed installation."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from guidewatch import composition, output
from guidewatch.stopping import stop_on_signals

if TYPE_CHECKING:
    from consumers.loop import ConsumeLoop
    from consumers.stage import Stage

_HEARTBEAT_S = 10.0


StageName = Literal["classify", "index", "label", "evidence"]


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
    heartbeat: Annotated[
        Path | None, typer.Option(help="File that is renewed every ten seconds while the process is well.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Run one stage until SIGTERM or Ctrl-C; start more of a stage to go faster."""
    from consumers.connection import Membership
    from consumers.loop import ConsumeLoop
    from guidewatch import settings

    with stop_on_signals() as stop, _stage(stage) as made:
        prefix = settings.load(settings.KafkaSettings).topic_prefix
        member = Membership(
            group=group or ".".join(filter(None, (prefix, f"guidewatch-{stage}"))),
            instance=instance or f"{socket.gethostname()}-{os.getpid()}",
        )
        loop = ConsumeLoop(made, composition.kafka_options(), member, _now)
        with _beating(loop, heartbeat):
            summary = loop.run(stop)
    if as_json:
        output.emit({"stage": stage, "instance": member.instance, "summary": summary})
    output.say(f"{stage} stopped: {summary}")


@contextmanager
def _stage(name: StageName) -> Iterator[Stage]:
    """Yield the stage with all that it needs, and release that at the end."""
    from guidewatch import settings

    topics = composition.topics()
    if name == "classify":
        from consumers.classify import ClassifyStage

        slice_size = settings.load(settings.ClassifierSettings).batch_pages
        yield ClassifyStage(composition.classifier(), topics, _now, slice_size=slice_size)
    elif name == "evidence":
        from consumers.evidence import EvidenceStage
        from consumers.vault import Vault

        chosen = settings.load(settings.EvidenceSettings)
        yield EvidenceStage(Vault(chosen.vault_dir, chosen.warc_dir), topics, _now)
    else:
        from consumers.index import IndexStage
        from consumers.label import LabelStage

        store = composition.elastic_store()
        try:
            yield IndexStage(store, topics) if name == "index" else LabelStage(store, topics)
        finally:
            store.close()


@contextmanager
def _beating(loop: ConsumeLoop, path: Path | None) -> Iterator[None]:
    """Renew a file with the loop's status while the loop turns; a health check looks at the file's age."""
    if path is None:
        yield
        return
    import msgspec

    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(0 if not path.exists() else _HEARTBEAT_S):
            if time.monotonic() - loop.status().turned_at_s < 3 * _HEARTBEAT_S:
                path.write_bytes(msgspec.json.encode(_shown(loop)))

    thread = threading.Thread(target=beat, daemon=True, name="heartbeat")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        path.unlink(missing_ok=True)


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


def _now() -> datetime:
    return datetime.now(UTC)
