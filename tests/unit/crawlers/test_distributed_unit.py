from __future__ import annotations

import msgspec
import pytest

from crawlers.distributed.unit import MAX_VALUE_BYTES, found_message
from crawlers.identity import event_id
from events import PageFound, Topics, UrlEnded, decode
from events.trace import trace_id
from tests.contract.samples import ended
from tests.unit.consumers.test_judging import page

ID = event_id("crawl-1", "a" * 32)


@pytest.mark.parametrize("event", [page(), ended()], ids=["page", "ended"])
def test_the_trace_of_a_url_begins_with_the_message_of_its_end(event: PageFound | UrlEnded) -> None:
    event = msgspec.structs.replace(event, id=ID)
    message, sent = found_message(event, Topics("t"))
    assert (message.topic, message.key) == ("t.pages.found", event.page_id.encode())
    assert (decode(message.value), sent) == (event, event)
    assert trace_id(message.headers) == ID


def test_an_end_that_is_too_large_keeps_its_trace() -> None:
    big = msgspec.structs.replace(page(), id=ID, redirected_from=("http://a.example/" + "x" * MAX_VALUE_BYTES,))
    message, sent = found_message(big, Topics())
    assert isinstance(sent, UrlEnded)
    assert (sent.outcome, sent.reason, trace_id(message.headers)) == ("failed", "too large", ID)
