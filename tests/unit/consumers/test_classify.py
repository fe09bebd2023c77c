from __future__ import annotations

from consumers.classify import ClassifyStage
from events import PageJudged, Topics, UrlEnded, decode, encode
from tests.contract.samples import ended
from tests.unit.consumers.records import record
from tests.unit.consumers.test_judging import AT, Scripted, page, verdict


def test_outputs_are_in_the_order_of_the_records() -> None:
    stage = ClassifyStage(Scripted(verdict(), verdict("not_flagged")), Topics("p"), lambda: AT)
    records = [record(page("one"), 0), record(ended("gone"), 1), record(page("two"), 2)]
    handled = stage.handle(records)
    assert [one.topic for one in handled.outputs] == ["p.pages.judged"] * 3
    assert [one.key for one in handled.outputs] == [one.key for one in records]
    assert [type(decode(one.value)) for one in handled.outputs] == [PageJudged, UrlEnded, PageJudged]
    assert handled.outputs[1].value == encode(ended("gone"))
    assert handled.rejected == []


def test_trace_goes_from_the_record_to_the_output() -> None:
    stage = ClassifyStage(Scripted(verdict()), Topics(), lambda: AT)
    (output,) = stage.handle([record(page(), headers=(("traceparent", b"x"),))]).outputs
    assert output.headers == (("traceparent", b"x"),)


def test_judgement_that_no_topic_takes_is_rejected_and_the_ledger_hears_of_it() -> None:
    stage = ClassifyStage(Scripted(verdict(), verdict("not_flagged")), Topics(), lambda: AT, max_message_bytes=2000)
    big, small = record(page("x" * 800)), record(page("two"), 1)
    handled = stage.handle([big, small])
    (rejection,) = handled.rejected
    assert (rejection.record, rejection.error) == (big, "MessageTooLargeError")
    first, second = (decode(one.value) for one in handled.outputs)
    assert (first.outcome, first.page_id) == ("dead_letter", big.event.page_id)
    assert second.page_id == small.event.page_id


def test_stage_reads_found_and_writes_judged() -> None:
    stage = ClassifyStage(Scripted(), Topics("p"), lambda: AT, slice_size=7)
    assert (stage.topics, stage.writes, stage.slice_size) == (("p.pages.found",), ("p.pages.judged",), 7)
