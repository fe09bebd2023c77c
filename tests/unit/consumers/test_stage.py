from __future__ import annotations

import pytest

from consumers.stage import FOUND_AT, same_trace
from events import encode
from events.trace import started
from tests.contract.samples import judged
from tests.unit.consumers.records import record

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_what_a_log_line_says_of_a_message_leads_to_it_and_to_its_trace() -> None:
    one = record(judged(), 14, partition=3, headers=started(TRACE))
    page_id = judged().page_id
    assert one.place == {"topic": "t", "partition": 3, "offset": 14, "page_id": page_id, "trace_id": TRACE}
    assert str(one) == f"topic=t partition=3 offset=14 page_id={page_id} trace_id={TRACE}"
    assert "trace_id" not in record(judged(), 14).place


def test_an_output_carries_the_trace_and_says_when_its_record_was_found() -> None:
    event, trace = judged(), (*started(TRACE), ("tracestate", b"rojo=1"))
    one = same_trace(record(event, headers=trace, timestamp_ms=1_700_000_000_123), "out", event, encode(event))
    assert one.headers == (*trace, (FOUND_AT, b"1700000000123"))
    again = record(event, headers=one.headers, timestamp_ms=1_800_000_000_000)
    assert same_trace(again, "out", event, encode(event)).headers == one.headers
    assert again.found_at_s == pytest.approx(1_700_000_000.123)


@pytest.mark.parametrize("said", [b"", b"soon", b"-5", b"9" * 40, "١".encode()])
def test_a_time_that_is_none_is_not_believed(said: bytes) -> None:
    assert record(judged(), headers=((FOUND_AT, said),), timestamp_ms=5).found_at_s is None
