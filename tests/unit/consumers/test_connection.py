"""What the clients ask of Kafka, which no other test would miss."""

from __future__ import annotations

from typing import Any

import pytest
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

from consumers import connection
from consumers.connection import Membership, open_consumer, open_producer, open_reader


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the last client was made with."""
    seen: dict[str, Any] = {}
    for name in ("KafkaConsumer", "KafkaProducer"):
        monkeypatch.setattr(connection, name, lambda **options: (seen.clear(), seen.update(options)))
    monkeypatch.setattr(connection, "_reach", lambda *_: None)
    return seen


@pytest.mark.parametrize("static", [True, False])
def test_members_read_what_is_committed_and_commit_nothing_by_themselves(asked: dict[str, Any], static: bool) -> None:
    open_consumer({}, Membership("g", "one", static=static), timeout_s=1.0)
    assert (asked["isolation_level"], asked["enable_auto_commit"]) == ("read_committed", False)
    assert asked["partition_assignment_strategy"] == [CooperativeStickyAssignor]
    assert asked["group_instance_id"] == ("one" if static else None)
    assert asked["auto_offset_reset"] == "earliest"


def test_producers_are_idempotent_and_wait_for_all_replicas(asked: dict[str, Any]) -> None:
    open_producer({}, timeout_s=1.0, transactional_id="g-one")
    assert (asked["enable_idempotence"], asked["acks"], asked["transactional_id"]) == (True, "all", "g-one")


def test_onlookers_belong_to_no_group(asked: dict[str, Any]) -> None:
    open_reader({}, timeout_s=1.0)
    assert (asked["group_id"], asked["isolation_level"], asked["enable_auto_commit"]) == (None, "read_committed", False)
