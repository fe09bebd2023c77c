from datetime import timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import CrawlRequest, LabelRecorded, Nearest, PoisonError, content_id, decode, encode, new_id, page_id
from events.catalogue import EVENT_TYPES
from tests.unit.events.pages import AT, URL, judged, page

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
    assert default["schema"].partition(".")[0] == name


def test_a_decision_outside_the_taxonomy_is_poison():
    label = LabelRecorded(
        id=new_id(), at=AT, page_id=page_id(URL), content_id=content_id("x"), decision="lawful", analyst="a"
    )
    record = msgspec.json.decode(encode(label)) | {"decision": "maybe"}
    with pytest.raises(PoisonError):
        decode(msgspec.json.encode(record))


JUDGED_YESTERDAY = b"""{"id":"j1","at":"2026-03-01T12:00:00Z","page_id":"0123456789abcdef0123456789abcdef",
"url":"https://example.org/a","host":"example.org","crawl_id":"c1","content_id":"0123456789abcdef0123456789abcdef",
"fetched_at":"2026-03-01T12:00:00Z","verdict":{"flagged":true,"score":0.9,"threshold":0.5,"language":"en",
"outcome":"flagged","model":"m-1","subjects":{"firearm":0.9},"techniques":{},"methods":{},"context":null,
"passages":[{"start":0,"end":4,"score":0.9,"form":0.8,"subject":0.7,"words":[["page",0.25]]}],"reason":"So."},
"schema":"judged/1","title":"A page","text":"text","text_truncated":false,"depth":0,"parent_url":null,"status":200,
"media_type":"text/html","redirected_from":[],"evidence":null}"""


def test_a_judgement_from_before_the_second_queue_and_the_explanations_still_decodes():
    verdict = decode(JUDGED_YESTERDAY).verdict
    assert verdict.worth_a_look is False
    assert (verdict.passages[0].contexts, verdict.passages[0].nearest) == ({}, ())
    assert verdict.passages[0].words == (("page", 0.25),)


def test_a_judgement_from_before_the_clusters_has_no_signature():
    assert decode(JUDGED_YESTERDAY).minhash == ""


@pytest.mark.parametrize("minhash", ["short", "=" * 684, "A" * 683, "A" * 683 + "==", "é" + "A" * 682 + "="])
def test_a_signature_of_another_size_is_poison(minhash):
    data = encode(judged(minhash=minhash))
    with pytest.raises(PoisonError):
        decode(data)
    assert decode(encode(judged(minhash="A" * 683 + "="))).minhash


def test_what_explains_a_passage_survives_the_wire_in_its_order():
    event = judged()
    (passage,) = decode(encode(event)).verdict.passages
    assert list(passage.contexts.items()) == [("news", 0.6), ("hunting", 0.2)]
    assert passage.nearest == (Nearest(id="en-0123", similarity=0.82, of_concern=True),)
    assert decode(encode(event)) == event


@pytest.mark.parametrize(
    ("old", "new"), [(b'"similarity":0.82', b'"similarity":1.2'), (b'"news":0.6', b'"weather":0.6')]
)
def test_an_explanation_outside_its_range_is_poison(old, new):
    data = encode(judged())
    assert old in data
    with pytest.raises(PoisonError):
        decode(data.replace(old, new))
