from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.identity import event_id
from events import new_id
from events.trace import started, trace_id

ID = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{ID}-b7ad6b7169203331-01"
"""The example of https://www.w3.org/TR/trace-context/#examples-of-http-traceparent-headers."""


def headers(*values: bytes | str) -> list[tuple[str, bytes]]:
    return [("traceparent", value if isinstance(value, bytes) else value.encode()) for value in values]


def test_a_trace_begins_with_the_id_of_its_event_in_the_form_of_the_standard() -> None:
    ((name, value),) = started(ID)
    assert name == "traceparent"
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", value.decode())
    assert trace_id(started(ID)) == ID


@pytest.mark.parametrize("make", [new_id, lambda: event_id("crawl-1", "a" * 32)], ids=["new", "of an event"])
def test_every_id_that_we_make_begins_a_trace(make: Callable[[], str]) -> None:
    made = make()
    assert trace_id(started(made)) == made


@pytest.mark.parametrize(
    "other", ["", "page-1", "0" * 32, "A" * 32, f"{ID}0", "0" * 16 + "1" * 16, "1" * 16 + "0" * 16]
)
def test_an_id_that_cannot_be_that_of_a_trace_begins_none(other: str) -> None:
    assert started(other) == ()


def test_the_trace_of_another_is_read_whatever_stands_beside_it() -> None:
    assert trace_id([("tracestate", b"rojo=00f067aa0ba902b7"), *headers(PARENT), ("guidewatch.found_at", b"1")]) == ID
    assert trace_id(headers(f"cc-{ID}-b7ad6b7169203331-01-what-the-future-will-be-like")) == ID


@pytest.mark.parametrize(
    "value",
    [
        f"ff-{ID}-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{ID}-{'0' * 16}-01",
        f"00-{ID.upper()}-b7ad6b7169203331-01",
        f"00-{ID}-b7ad6b7169203331-01-extra",
        f"00-{ID[:-1]}-b7ad6b7169203331-01",
        f"00-{ID}-b7ad6b7169203331",
        "00",
        b"\xff\xfe",
        PARENT + " " * 600,
        "",
    ],
)
def test_what_the_standard_calls_invalid_names_no_trace(value: bytes | str) -> None:
    assert trace_id(headers(value)) == ""


def test_two_traces_are_none() -> None:
    assert trace_id(headers(PARENT, PARENT)) == ""


@given(st.lists(st.tuples(st.sampled_from(["traceparent", "tracestate", "x"]), st.binary(max_size=60))))
def test_no_headers_are_too_odd(found: list[tuple[str, bytes]]) -> None:
    assert re.fullmatch(r"|[0-9a-f]{32}", trace_id(found))
