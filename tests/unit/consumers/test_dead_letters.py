from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.dead_letters import (
    MAX_MESSAGE_CHARS,
    PREFIX,
    REPLAY_PREFIX,
    DeadLetter,
    Replay,
    dead_page,
    just_before,
    letter,
    read_letter,
    read_replay,
    sent_back,
)
from consumers.stage import Record, Rejection
from events import PageFound, PageJudged, UrlEnded, decode, encode
from tests.contract.samples import NOON, ended, judged
from tests.unit.consumers.test_judging import page as found

HEADERS = st.lists(st.tuples(st.text(min_size=1, max_size=20), st.binary(max_size=20)), max_size=4).map(tuple)


def put_aside(record: Record, message: str = "why", topic: str = "t.dlq") -> Any:
    return letter(Rejection(record, "PoisonError", message), topic, stage="index", at=NOON)


@given(key=st.none() | st.binary(), value=st.binary(), headers=HEADERS, message=st.text())
def test_letter_keeps_the_message_and_says_where_it_was(
    key: bytes | None, value: bytes, headers: tuple[tuple[str, bytes], ...], message: str
) -> None:
    record = Record("t", 3, 14, key, value, headers)
    made = put_aside(record, message)
    assert (made.topic, made.key, made.value) == ("t.dlq", key, value)
    assert made.headers[: len(headers)] == headers
    expected = message[:MAX_MESSAGE_CHARS]
    assert read_letter(made.headers) == DeadLetter(
        topic="t", partition=3, offset=14, error="PoisonError", message=expected, at=NOON, stage="index"
    )
    back = sent_back(made.value, made.key, made.headers)
    assert (back.topic, back.key, back.value) == ("t", key, value)
    assert back.headers[: len(headers)] == headers
    assert all(name.startswith(REPLAY_PREFIX) for name, _ in back.headers[len(headers) :])


def test_message_that_fails_again_has_one_set_of_facts() -> None:
    first = put_aside(Record("t", 0, 1, b"k", b"v", (("trace", b"x"),)))
    second = put_aside(Record("t", 0, 9, b"k", b"v", first.headers), "again")
    names = [name for name, _ in second.headers if name.startswith(PREFIX)]
    assert len(names) == len(set(names))
    assert (read_letter(second.headers).offset, read_letter(second.headers).message) == (9, "again")


def test_message_that_fails_again_keeps_its_origin_and_counts_its_replays() -> None:
    first = put_aside(Record("t", 3, 14, b"k", b"v", (("trace", b"x"),)))
    once = sent_back(first.value, first.key, first.headers)
    again = put_aside(Record("t", 3, 99, once.key, once.value, once.headers))
    twice = sent_back(again.value, again.key, again.headers)
    assert read_replay(once.headers, "t") == Replay(topic="t", partition=3, offset=14, stage="index", count=1)
    assert read_replay(twice.headers, "t") == Replay(topic="t", partition=3, offset=14, stage="index", count=2)
    assert len(twice.headers) == len(once.headers)


def test_what_was_made_of_a_replayed_message_is_no_replay_in_its_own_topic() -> None:
    back = sent_back(*attributes(put_aside(Record("t", 0, 1, b"k", b"v"))))
    assert read_replay(back.headers, "t.made.of.it") is None
    failed = put_aside(Record("made", 7, 8, b"k", b"w", back.headers), topic="made.dlq")
    assert read_replay(sent_back(*attributes(failed)).headers, "made") == Replay(
        topic="made", partition=7, offset=8, stage="index", count=1
    )


def test_headers_of_a_replay_that_nobody_can_read_are_none() -> None:
    assert read_replay(((REPLAY_PREFIX + "count", b"many"),), "t") is None


def attributes(letter: Any) -> tuple[bytes, bytes | None, tuple[tuple[str, bytes], ...]]:
    return letter.value, letter.key, letter.headers


def test_half_a_character_in_a_reason_does_not_stop_the_letter() -> None:
    assert "broken" in read_letter(put_aside(Record("t", 0, 0, None, b""), "broken \ud800").headers).message


@pytest.mark.parametrize("headers", [(), (("trace", b"x"),), ((PREFIX + "topic", b"t"),)])
def test_headers_of_another_are_not_read_as_ours(headers: tuple[tuple[str, bytes], ...]) -> None:
    with pytest.raises(ValueError, match="not a dead letter of ours"):
        read_letter(headers)


@pytest.mark.parametrize("event", [found("one"), judged("one"), ended("one", outcome="failed", fetched_at=NOON)])
def test_dead_page_says_what_is_known_of_the_page(event: PageFound | PageJudged | UrlEnded) -> None:
    dead = dead_page(event, "x" * 500, NOON)
    assert (dead.outcome, dead.reason, dead.at) == ("dead_letter", "x" * 200, NOON)
    kept = ("id", "page_id", "url", "host", "crawl_id", "depth", "parent_url", "status", "content_id", "fetched_at")
    assert [getattr(dead, name) for name in kept] == [getattr(event, name) for name in kept]
    assert dead.fetched_at is not None
    assert dead.evidence == event.evidence
    assert decode(encode(dead), UrlEnded) == dead


def test_dead_page_has_the_language_of_the_verdict_where_there_is_one() -> None:
    assert dead_page(judged("one"), "why", NOON).language == "en"
    assert dead_page(found("one"), "why", NOON).language is None
    assert dead_page(ended("one", language="fr"), "why", NOON).language == "fr"


def test_dead_page_can_be_older_than_its_judgement_so_that_a_replay_replaces_it() -> None:
    page = judged("one")
    assert dead_page(page, "why", just_before(page)).at < page.at
