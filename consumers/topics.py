"""Setting the topics up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kafka.errors import KafkaError, NoError, TopicAlreadyExistsError, for_code

from consumers.connection import (
    MAX_REQUEST_BYTES,
    BrokerRefusedError,
    BrokerUnavailableError,
    ClientOptions,
    is_permanent,
    open_admin,
)
from events import Topics

_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """How the topics are made; those that exist are left as they are.

    Parameters
    ----------
    partitions
        Of each topic, so the most workers that a stage can have; dead-letter topics have one.
    replication
        Copies of each partition.
    retention_h
        How long messages stay, in hours.
    kept_retention_h
        The same for dead letters and for the analysts' decisions, which nobody can make again, and for the requests of
        crawls and their ends: no crawl may last longer.
    """

    partitions: int = 6
    replication: int = 1
    retention_h: int = 7 * 24
    kept_retention_h: int = 90 * 24


@dataclass(frozen=True, slots=True)
class TopicsReport:
    """What `ensure_topics` did."""

    created: tuple[str, ...]
    existing: tuple[str, ...]
    differing: tuple[str, ...] = ()
    """Topics that exist with another number of partitions than planned: ``name: 3 partitions, planned 6``."""


def ensure_topics(
    options: ClientOptions, topics: Topics, plan: TopicPlan | None = None, *, timeout_s: float = 10.0
) -> TopicsReport:
    """Create the topics that are not there; idempotent, also when several do it at once.

    Raises
    ------
    BrokerUnavailableError
        No broker answers within ``timeout_s`` seconds.
    BrokerRefusedError
        The broker refuses, such as a replication that it has too few brokers for.
    """
    admin = open_admin(options, timeout_s=timeout_s)
    try:
        return _ensure(admin, topics, plan or TopicPlan(), timeout_s)
    except KafkaError as error:
        if error.retriable and not is_permanent(error):
            raise BrokerUnavailableError(f"Kafka did not create the topics: {error}") from error
        raise BrokerRefusedError(f"Kafka refuses to create the topics: {error}") from error
    finally:
        admin.close()


def _ensure(admin: Any, topics: Topics, plan: TopicPlan, timeout_s: float) -> TopicsReport:
    wanted = _wanted(topics, plan)
    there = {found["name"]: len(found["partitions"]) for found in admin.describe_topics() if found["name"] in wanted}
    missing = {name: settings for name, settings in wanted.items() if name not in there}
    created = _create(admin, missing, timeout_s) if missing else []
    admin.wait_for_topics(list(wanted), timeout_ms=int(timeout_s * 1000))
    return TopicsReport(
        created=tuple(created),
        existing=tuple(name for name in wanted if name not in created),
        differing=tuple(
            f"{name}: {count} partitions, planned {wanted[name]['num_partitions']}"
            for name, count in there.items()
            if count != wanted[name]["num_partitions"]
        ),
    )


def _create(admin: Any, missing: dict[str, dict[str, Any]], timeout_s: float) -> list[str]:
    answer = admin.create_topics(missing, timeout_ms=int(timeout_s * 1000), raise_errors=False)
    created = []
    for found in answer["topics"]:
        error = for_code(found["error_code"])
        if error is NoError:
            created.append(found["name"])
        elif error is not TopicAlreadyExistsError:
            raise error(found["error_message"] or found["name"])
    return created


def _wanted(topics: Topics, plan: TopicPlan) -> dict[str, dict[str, Any]]:
    flowing = (topics.pages_found, topics.pages_judged)
    spread = (*flowing, topics.crawl_requests, topics.crawl_ended, topics.labels_recorded)
    wanted = {}
    for name in topics.all():
        wanted[name] = {
            "num_partitions": plan.partitions if name in spread else 1,
            "replication_factor": plan.replication,
            "configs": {
                **_kept(topics, plan, name),
                "max.message.bytes": str(MAX_REQUEST_BYTES),
                "min.insync.replicas": str(max(1, plan.replication - 1)),
                # By the brokers' clock: a worker whose own is wrong can neither be refused for it, nor have what it
                # writes deleted before its time.
                "message.timestamp.type": "LogAppendTime",
            },
        }
    return wanted


def _kept(topics: Topics, plan: TopicPlan, name: str) -> dict[str, str]:
    """Return how long messages stay: the last of each key, or all for a time."""
    if name in (topics.crawls, topics.crawl_progress):
        return {"cleanup.policy": "compact"}
    flowing = (topics.pages_found, topics.pages_judged)
    return {"retention.ms": str((plan.retention_h if name in flowing else plan.kept_retention_h) * _HOUR_MS)}
