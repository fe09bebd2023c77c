"""Dead letters on the real broker: sent back, dropped, and what a kill between leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from consumers import settling_letters
from consumers.connection import BrokerRefusedError
from consumers.counting import Counts
from consumers.dead_letter_topics import DeadLetterReader, Letter
from consumers.dead_letters import read_replay
from consumers.index import IndexStage
from consumers.settling_letters import Settling, to_replay
from events import PageJudged, UrlEnded, encode
from storage import LedgerQuery
from storage.port import UpsertReport
from storage.sqlite import SqliteStore
from tests.contract.samples import judged
from tests.integration.consumers.backbone import Backbone, clock, until


class Refusing:
    """A store that refuses some pages until it is told not to."""

    def __init__(self, store: SqliteStore, *page_ids: str) -> None:
        self._store = store
        self.refused = set(page_ids)

    def upsert(self, events: Sequence[PageJudged | UrlEnded]) -> UpsertReport:
        def is_refused(event: PageJudged | UrlEnded) -> bool:
            return isinstance(event, PageJudged) and event.page_id in self.refused

        report = self._store.upsert([event for event in events if not is_refused(event)])
        rejected = tuple((event.page_id, "told so") for event in events if is_refused(event))
        return UpsertReport(written=report.written, unchanged=report.unchanged, rejected=rejected)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "store.sqlite", clock=clock)
    made.setup()
    yield made
    made.close()


@contextmanager
def settling(backbone: Backbone) -> Iterator[Settling]:
    with Settling(backbone.options, backbone.topics, "ana", clock) as made:
        yield made


def letters(backbone: Backbone) -> list[Letter]:
    with DeadLetterReader(backbone.options, backbone.topics) as reader:
        return reader.read().letters


def poison(backbone: Backbone, count: int) -> list[bytes]:
    """Have so many messages put aside by index, and return them."""
    sent = [b"poison %d" % number for number in range(count)]
    for number, value in enumerate(sent):
        backbone.send_bytes(backbone.topics.pages_judged, value, str(number), [("traceparent", b"t")])
    return sent


def indexed(backbone: Backbone, store: object, records: int) -> None:
    """Run index until it has read so many records in all."""
    topic = backbone.topics.pages_judged
    with backbone.running(IndexStage(store, backbone.topics)):  # type: ignore[arg-type]
        until(lambda: backbone.counted(topic, "index").read == records, f"{records} records")


def test_letter_that_was_sent_back_is_stored_in_place_of_the_dead_letter(
    backbone: Backbone, store: SqliteStore
) -> None:
    topic, bad = backbone.topics.pages_judged, judged("bad")
    picky = Refusing(store, bad.page_id)
    backbone.send(topic, [judged("one"), bad])
    indexed(backbone, picky, 2)
    assert store.ledger_counts()["dead_letter"] == 1

    picky.refused.clear()
    with settling(backbone) as now:
        (letter,) = now.read().letters
        assert now.replay([letter], lambda _: True) == 1
    indexed(backbone, picky, 3)
    (row,) = store.ledger(LedgerQuery(page_id=(bad.page_id,))).rows
    assert (row.outcome, row.reason) == ("flagged", "")
    assert store.item(bad.page_id) is not None
    assert backbone.counted(topic, "index") == Counts(read=3, outcomes={"flagged": 2}, rejected=1, replayed=1)
    (now_settled,) = letters(backbone)
    assert now_settled.settled is not None
    assert (now_settled.settled.settled, now_settled.settled.by) == ("replayed", "ana")

    (back,) = [message for message in backbone.messages(topic) if read_replay(tuple(message.headers), topic)]
    replay = read_replay(tuple(back.headers), topic)
    assert replay is not None
    assert (back.value, back.key) == (encode(bad), bad.page_id.encode())
    assert (replay.partition, replay.offset, replay.count) == (letter.facts.partition, letter.facts.offset, 1)


def test_message_that_fails_each_time_is_passed_over_after_the_third(backbone: Backbone, store: SqliteStore) -> None:
    (value,) = poison(backbone, 1)
    for times in range(3):
        indexed(backbone, store, times + 1)
        with settling(backbone) as now:
            choice = to_replay(one for one in now.read().letters if one.settled is None)
            assert [one.replays for one in choice.chosen] == [times]
            now.replay(choice.chosen, lambda _: True)
    indexed(backbone, store, 4)
    found = letters(backbone)
    choice = to_replay(one for one in found if one.settled is None)
    assert (choice.chosen, [one.replays for one in choice.given_up]) == ([], [3])
    assert len(found) == 4
    back = backbone.messages(backbone.topics.pages_judged)
    assert [message.value for message in back] == [value] * 4
    assert all(("traceparent", b"t") in message.headers for message in back)


def test_dropped_letters_stay_dead_letters_in_the_ledger(backbone: Backbone, store: SqliteStore) -> None:
    bad = judged("bad")
    backbone.send(backbone.topics.pages_judged, [bad])
    indexed(backbone, Refusing(store, bad.page_id), 1)
    with settling(backbone) as now:
        assert now.drop(now.read().letters, "a broken server", lambda _: True) == 1
    (letter,) = letters(backbone)
    assert letter.settled is not None
    assert (letter.settled.settled, letter.settled.reason) == ("dropped", "a broken server")
    assert store.ledger_counts()["dead_letter"] == 1


class Killed(BaseException):
    """The process is gone."""


def test_replay_that_is_killed_before_its_commit_leaves_every_letter_open(
    backbone: Backbone, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = backbone.topics.pages_judged
    sent = poison(backbone, 5)
    indexed(backbone, store, 5)
    killed = Settling(backbone.options, backbone.topics, "ana", clock)

    def kill() -> None:
        raise Killed

    monkeypatch.setattr(killed._producer, "commit_transaction", kill)
    with pytest.raises(Killed):
        killed.replay(killed.read().letters, lambda _: True)
    assert len(backbone.messages(topic, "read_uncommitted")) == 10
    with settling(backbone) as now:
        found = now.read().letters
        assert [one.settled for one in found] == [None] * 5
        assert now.replay(found, lambda _: True) == 5
    killed._reader.__exit__()
    killed._producer.close(timeout=0)
    assert sorted(message.value for message in backbone.messages(topic)) == sorted(2 * sent)


def test_stop_between_two_transactions_leaves_the_rest_open(
    backbone: Backbone, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling_letters, "_BATCH", 2)
    poison(backbone, 5)
    indexed(backbone, store, 5)
    with settling(backbone) as now:
        assert now.replay(now.read().letters, lambda done: done < 4) == 4
    assert sum(one.settled is None for one in letters(backbone)) == 1


def test_newer_command_fences_an_older_one_off(backbone: Backbone, store: SqliteStore) -> None:
    poison(backbone, 1)
    indexed(backbone, store, 1)
    with settling(backbone) as older:
        found = older.read().letters
        with settling(backbone) as newer:
            assert newer.replay(newer.read().letters, lambda _: True) == 1
            with pytest.raises(BrokerRefusedError, match="another `guidewatch dlq` has taken over"):
                older.replay(found, lambda _: True)
    assert len(backbone.messages(backbone.topics.pages_judged)) == 2
