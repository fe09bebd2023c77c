from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest

from consumers.status import Status
from crawlers.distributed.spider import SpiderStatus
from guidewatch.metrics.stages import spider_families, stage_families, why_not_alive, why_not_ready
from tests.contract.samples import NOON
from tests.unit.guidewatch.metrics.samples import spider_status, status, values

NOW_S = 1000.0


def test_a_stage_shows_what_it_has_committed_and_what_is_left() -> None:
    found = values(stage_families(status(turned_at_s=NOW_S - 2, heard_at_s=NOW_S - 3), NOW_S))
    assert found["guidewatch_stage_lag_messages", "0", "index", "pages.judged"] == 7
    assert found["guidewatch_stage_lag_messages", "3", "index", "pages.judged"] == 0
    assert found["guidewatch_stage_records_total", "index"] == 5
    assert found["guidewatch_stage_bytes_total", "index"] == 900
    assert found["guidewatch_stage_dead_letters_total", "index"] == 2
    assert found["guidewatch_stage_retries_total", "index"] == 4
    assert found["guidewatch_stage_transactions_total", "committed", "index"] == 3
    assert found["guidewatch_stage_transactions_total", "aborted", "index"] == 1
    assert found["guidewatch_stage_outcomes_total", "fr", "flagged", "index"] == 2
    assert found["guidewatch_stage_outcomes_total", "", "failed", "index"] == 1
    assert found["guidewatch_stage_last_commit_timestamp_seconds", "index"] == NOON.timestamp()
    assert found["guidewatch_stage_turn_age_seconds", "index"] == 2
    assert found["guidewatch_stage_broker_silence_seconds", "index"] == 3


def test_latencies_are_a_histogram_of_two_kinds() -> None:
    found = values(stage_families(status(), NOW_S))
    name = "guidewatch_page_latency_seconds"
    assert [found[f"{name}_bucket", bound, "found", "index"] for bound in ("0.25", "3.0", "5.0", "+Inf")] == [
        1,
        1,
        2,
        2,
    ]
    assert (found[f"{name}_count", "found", "index"], found[f"{name}_sum", "found", "index"]) == (2, 4.2)
    assert found[f"{name}_bucket", "300.0", "fetched", "index"] == found[f"{name}_count", "fetched", "index"] == 1


@pytest.mark.parametrize("state", ["starting", "running", "waiting", "stopped"])
def test_one_state_holds(state: str) -> None:
    for found in (stage_families(status(state=state), NOW_S), spider_families(spider_status(state=state), NOW_S)):
        states = {key[2]: value for key, value in values(found).items() if key[0] == "guidewatch_stage_state"}
        assert {name for name, value in states.items() if value} == {state}
        assert len(states) == 4


def test_a_spider_shows_what_it_has_and_what_became_of_urls() -> None:
    found = values(spider_families(spider_status(), NOW_S))
    assert found[("guidewatch_spider_open_requests",)] == 12
    assert found[("guidewatch_spider_requests_under_way",)] == 3
    assert found[("guidewatch_spider_partitions",)] == 2
    assert found["guidewatch_stage_outcomes_total", "", "page", "spider"] == 9
    assert found["guidewatch_stage_transactions_total", "committed", "spider"] == 6
    assert found["guidewatch_stage_retries_total", "spider"] == 2
    assert found["guidewatch_stage_dead_letters_total", "spider"] == 2


def test_what_is_not_known_yet_is_not_shown() -> None:
    new = Status(stage="index", group="g", instance="0")
    names = {key[0] for key in values(stage_families(new, time.monotonic()))}
    assert not names & {"guidewatch_stage_last_commit_timestamp_seconds", "guidewatch_stage_broker_silence_seconds"}
    assert "guidewatch_stage_records_total" in names


@pytest.mark.parametrize("made", [status, spider_status])
@pytest.mark.parametrize(
    ("fields", "alive", "ready"),
    [
        ({}, "", ""),
        ({"turned_at_s": NOW_S - 31}, "the loop has not turned for 31 s", "the loop has not turned for 31 s"),
        ({"state": "stopped"}, "stopped", "stopped"),
        ({"state": "starting"}, "", "starting"),
        ({"state": "waiting", "failure": "the store is away"}, "", "waiting: the store is away"),
        ({"heard_at_s": NOW_S - 13}, "", "Kafka's coordinator of the group has not answered for 13 s"),
        ({"heard_at_s": float("-inf")}, "", "Kafka's coordinator of the group has not answered yet"),
    ],
)
def test_alive_is_not_ready(made: Any, fields: dict[str, Any], alive: str, ready: str) -> None:
    one: Status | SpiderStatus = dataclasses.replace(made(), **({"turned_at_s": NOW_S, "heard_at_s": NOW_S} | fields))
    assert (why_not_alive(one, NOW_S), why_not_ready(one, NOW_S)) == (alive, ready)
