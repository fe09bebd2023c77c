from __future__ import annotations

import json
from collections import namedtuple

from consumers.letter_facts import headers_shown, message_shown, without_preview
from events import encode
from tests.contract.samples import judged
from tests.unit.consumers.test_judging import page

Message = namedtuple("Message", ["headers"])


def test_of_a_page_its_facts_are_shown_and_its_words_are_not() -> None:
    for event in (page("one"), judged("one", text="Words of the page.", title="Its title")):
        shown = message_shown(encode(event))
        assert shown["fields"]["page_id"] == event.page_id
        assert shown["fields"]["text_chars"] == len(event.text)
        assert shown["fields"]["title_chars"] == len(event.title)
        for words in (event.text, event.title, event.url):
            assert words not in json.dumps(shown)


def test_of_a_judgement_the_verdict_is_shown() -> None:
    verdict = message_shown(encode(judged("one")))["fields"]["verdict"]
    assert (verdict["flagged"], verdict["language"]) == (True, "en")
    assert verdict.keys() <= {"flagged", "score", "threshold", "language", "outcome", "model"}


def test_of_what_is_no_json_only_size_and_hash_are_shown() -> None:
    for value in (b"a page about a garden", b"\xff", b"", b"[" * 100_000):
        assert message_shown(value).keys() == {"bytes", "sha256", "json"}


def test_fields_of_another_type_or_name_are_left_out() -> None:
    assert message_shown(b'{"id": {"text": "words"}, "note": "words", "text": ["words"]}')["fields"] == {}
    assert len(message_shown(json.dumps({"id": "x" * 5000}).encode())["fields"]["id"]) == 200


def test_headers_that_are_no_short_plain_text_are_shown_by_their_size() -> None:
    headers = [("traceparent", b"00-abc"), ("long", b"x" * 500), ("binary", b"\x00\xff"), ("none", None)]
    assert headers_shown(Message(headers)) == {
        "traceparent": "00-abc",
        "long": "500 bytes",
        "binary": "2 bytes",
        "none": "",
    }


def test_value_that_elasticsearch_quotes_is_left_out() -> None:
    reason = (
        "failed to parse field [x] of type [date] in document with id '1'. Preview of field's value: 'so it's\nsaid'"
    )
    assert without_preview(reason).endswith("with id '1'. Preview left out")
