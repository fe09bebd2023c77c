"""Letters are settled in transactions that end, or are given up."""

from __future__ import annotations

from typing import Any

import pytest
from kafka.errors import CoordinatorNotAvailableError

from consumers import dead_letter_topics, settling_letters
from consumers.connection import BrokerUnavailableError
from consumers.settling_letters import Settling
from events import Topics
from tests.contract.samples import NOON
from tests.unit.consumers.producers import MemoryProducers
from tests.unit.consumers.test_dead_letter_topics import MemoryConsumer, put_aside
from tests.unit.consumers.test_judging import page


@pytest.fixture
def producers(monkeypatch: pytest.MonkeyPatch) -> MemoryProducers:
    return MemoryProducers(monkeypatch, "consumers.settling_letters")


@pytest.fixture
def settling(producers: MemoryProducers, monkeypatch: pytest.MonkeyPatch) -> Any:
    letters = MemoryConsumer([put_aside(page("one"), 1), put_aside(page("two"), 2)])
    monkeypatch.setattr(dead_letter_topics, "open_reader", lambda *_, **__: letters)
    with Settling({}, Topics(), "ana", lambda: NOON) as made:
        yield made


def test_letters_are_dropped_in_one_transaction(settling: Settling, producers: MemoryProducers) -> None:
    told: list[int] = []
    assert settling.drop(settling.read().letters, "why", lambda done: told.append(done) is None) == 2
    assert told == [2]
    assert producers.done == ["open", "init", "begin", "send", "send", "flush", "commit"]


@pytest.mark.parametrize("held", ["begin", "flush", "commit"])
def test_a_transaction_that_does_not_end_is_given_up(
    settling: Settling, producers: MemoryProducers, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling_letters, "_PATIENCE_S", 0.1)
    with producers.holding(held), pytest.raises(BrokerUnavailableError, match="what `guidewatch dlq list` shows"):
        settling.drop(settling.read().letters, "why", lambda _: True)


def test_what_cannot_be_sent_is_aborted(settling: Settling, producers: MemoryProducers) -> None:
    def fail() -> None:
        raise CoordinatorNotAvailableError

    producers.on["flush"] = fail
    with pytest.raises(BrokerUnavailableError, match="does not settle"):
        settling.replay(settling.read().letters, lambda _: True)
    assert producers.done[-2:] == ["flush", "abort"]
