from __future__ import annotations

from storage.admission import admit
from tests.contract.samples import ended, judged, label, pid


def test_valid_events_pass_unchanged_and_in_order() -> None:
    events = [judged(), ended("two"), judged("three")]
    assert admit(events) == (events, [])
    assert admit([label()]) == ([label()], [])


def test_invalid_event_is_named_with_its_reason() -> None:
    taken, ((page_id, reason),) = admit([judged(), ended("bad", outcome="vanished")])
    assert taken == [judged()]
    assert page_id == pid("bad")
    assert "vanished" in reason
