"""What is done, and when, follows from the seed."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.chaos.schedule import STAGES, Amounts, schedule


@pytest.mark.parametrize("seed", range(5))
def test_everything_that_was_asked_for_is_done_while_there_is_load(seed: int) -> None:
    faults = schedule(seed, 1000.0, Amounts())
    kinds = Counter(fault.kind for fault in faults)
    assert kinds == {
        "kill": 60,
        "hang": 4,
        "join": 6,
        "leave": 6,
        "kafka-kill": 1,
        "kafka-restart": 1,
        "elasticsearch-stop": 2,
    }
    assert [fault.at_s for fault in faults] == sorted(fault.at_s for fault in faults)
    assert all(0 < fault.at_s < 1000 for fault in faults)
    assert {fault.stage for fault in faults if fault.kind == "kill"} == set(STAGES)
    assert all(fault.lasts_s == 60.0 for fault in faults if fault.kind == "elasticsearch-stop")
    assert all(fault.lasts_s > 45.0 and fault.stage != "spider" for fault in faults if fault.kind == "hang")


def test_the_same_seed_is_the_same_schedule() -> None:
    assert schedule(3, 500.0, Amounts()) == schedule(3, 500.0, Amounts())
    assert schedule(3, 500.0, Amounts()) != schedule(4, 500.0, Amounts())


def test_a_short_run_still_hits_every_stage() -> None:
    faults = schedule(1, 20.0, Amounts(kills=6, kafka_restarts=1, elasticsearch_stops=1, hangs=0, rebalances=1))
    assert {fault.stage for fault in faults if fault.kind == "kill"} == set(STAGES)
