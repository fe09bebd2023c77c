from datetime import timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import CrawlRequest, LabelRecorded, PoisonError, content_id, decode, encode, new_id, page_id
from events.messages import EVENT_TYPES
from tests.unit.events.pages import AT, URL, page

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(title=text, body=text, depth=st.integers(0, 100), hint=st.none() | text, urls=st.lists(text, max_size=3))
def test_a_page_survives_the_wire(title, body, depth, hint, urls):
    event = page(title=title, text=body, depth=depth, language_hint=hint, redirected_from=tuple(urls))
    assert decode(encode(event)) == event


@given(st.binary(max_size=200))
def test_bytes_that_are_no_event_are_poison_and_nothing_else(data):
    with pytest.raises(PoisonError):
        decode(data)


@given(st.recursive(st.none() | st.booleans() | st.floats() | text, lambda s: st.lists(s) | st.dictionaries(text, s)))
def test_json_that_is_no_event_is_poison_and_nothing_else(value):
    with pytest.raises(PoisonError):
        decode(msgspec.json.encode(value))


def test_deep_nesting_is_poison():
    with pytest.raises(PoisonError):
        decode(b'{"schema":"page/1","x":' + b"[" * 100_000)


def test_unknown_fields_and_minor_versions_are_read():
    record = msgspec.json.decode(encode(page()))
    record |= {"schema": "page/1.7", "added_later": {"x": 1}}
    assert decode(msgspec.json.encode(record)).text == "text"


def test_another_major_version_is_poison():
    record = msgspec.json.decode(encode(page())) | {"schema": "page/2"}
    with pytest.raises(PoisonError, match="unknown schema"):
        decode(msgspec.json.encode(record))


def test_an_event_of_another_topic_is_poison():
    with pytest.raises(PoisonError, match="does not belong"):
        decode(encode(page()), CrawlRequest)


def test_a_time_without_a_zone_is_poison():
    record = msgspec.json.decode(encode(page())) | {"at": "2026-03-01T12:00:00"}
    with pytest.raises(PoisonError):
        decode(msgspec.json.encode(record))


def test_a_text_over_the_cap_is_poison():
    with pytest.raises(PoisonError, match="length"):
        decode(encode(page(text="x" * 200_001)))


def test_a_time_in_another_zone_is_the_same_moment():
    elsewhere = AT.astimezone(timezone(timedelta(hours=8)))
    assert decode(encode(page(at=elsewhere))).at == AT


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_schema_names_are_the_defaults_of_their_types(name):
    assert EVENT_TYPES[name].__struct_config__.frozen
    default = dict(
        zip(EVENT_TYPES[name].__struct_fields__[::-1], EVENT_TYPES[name].__struct_defaults__[::-1], strict=False)
    )
    assert default["schema"] == name


def test_a_decision_outside_the_taxonomy_is_poison():
    label = LabelRecorded(
        id=new_id(), at=AT, page_id=page_id(URL), content_id=content_id("x"), decision="lawful", analyst="a"
    )
    record = msgspec.json.decode(encode(label)) | {"decision": "maybe"}
    with pytest.raises(PoisonError):
        decode(msgspec.json.encode(record))
