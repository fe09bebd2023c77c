from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource

from consumers.connection import BrokerRefusedError, BrokerUnavailableError
from consumers.topics import TopicPlan, ensure_topics
from events import Topics
from tests.servers.kafka import free_ports


def test_topics_are_made_once_as_planned(kafka_bootstrap: str, kafka_prefix: str) -> None:
    options, topics = {"bootstrap_servers": kafka_bootstrap}, Topics(kafka_prefix)
    plan = TopicPlan(partitions=3, retention_h=24, kept_retention_h=1000)
    first = ensure_topics(options, topics, plan)
    assert (first.created, first.existing) == (tuple(topics.all()), ())

    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    try:
        partitions = {one["name"]: len(one["partitions"]) for one in admin.describe_topics(topics.all())}
        settings = {name: configured(admin, name) for name in topics.all()}
    finally:
        admin.close()
    compacted = {topics.crawls, topics.crawl_progress}
    assert partitions == {name: 1 if name.endswith(".dlq") or name in compacted else 3 for name in topics.all()}
    assert {name for name, said in settings.items() if said.get("cleanup.policy") == "compact"} == compacted
    short, kept = str(24 * 3_600_000), str(1000 * 3_600_000)
    flowing = {topics.pages_found, topics.pages_judged}
    retention = {name: said["retention.ms"] for name, said in settings.items() if name not in compacted}
    assert retention == {name: short if name in flowing else kept for name in topics.all() if name not in compacted}

    second = ensure_topics(options, topics, plan)
    assert (second.created, second.existing, second.differing) == ((), tuple(topics.all()), ())


def test_another_number_of_partitions_is_reported_and_left(kafka_bootstrap: str, kafka_prefix: str) -> None:
    options, topics = {"bootstrap_servers": kafka_bootstrap}, Topics(kafka_prefix)
    ensure_topics(options, topics, TopicPlan(partitions=1))
    report = ensure_topics(options, topics, TopicPlan(partitions=2))
    assert report.created == ()
    assert f"{topics.pages_found}: 1 partitions, planned 2" in report.differing
    assert len(report.differing) == 5


def test_several_may_set_up_at_once(kafka_bootstrap: str, kafka_prefix: str) -> None:
    options, topics = {"bootstrap_servers": kafka_bootstrap}, Topics(kafka_prefix)
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: ensure_topics(options, topics, TopicPlan(partitions=1)), range(4)))
    assert sorted(name for report in reports for name in report.created) == sorted(topics.all())


def test_too_few_brokers_are_refused_with_one_line(kafka_bootstrap: str, kafka_prefix: str) -> None:
    with pytest.raises(BrokerRefusedError, match=r"^Kafka refuses to create the topics: .*[Rr]eplication"):
        ensure_topics({"bootstrap_servers": kafka_bootstrap}, Topics(kafka_prefix), TopicPlan(replication=3))


def test_absent_broker_is_reported_in_time_with_one_line() -> None:
    (port,) = free_ports(1)
    started = time.monotonic()
    with pytest.raises(BrokerUnavailableError, match=rf"^Kafka at 127\.0\.0\.1:{port} does not answer: .*refused"):
        ensure_topics({"bootstrap_servers": f"127.0.0.1:{port}"}, Topics("x"), timeout_s=1.0)
    assert time.monotonic() - started < 10.0


def configured(admin: KafkaAdminClient, topic: str) -> dict[str, str]:
    found = admin.describe_configs([ConfigResource("TOPIC", topic)])["topic"][topic]
    return {name: setting["value"] for name, setting in found.items()}
