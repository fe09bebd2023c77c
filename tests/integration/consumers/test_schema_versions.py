"""Messages of other versions on the topics: a minor one is read, another major one is put aside."""

from __future__ import annotations

import json

from consumers.classify import ClassifyStage
from consumers.dead_letters import read_letter
from events import encode
from tests.integration.consumers.backbone import Backbone, WordClassifier, clock, page, until


def test_minor_versions_are_read_and_another_major_version_is_a_dead_letter(backbone: Backbone) -> None:
    topic = backbone.topics.pages_found
    fields = json.loads(encode(page(1)))
    since_1_1 = ("previous_content_id", "changed_share")
    older = {name: value for name, value in fields.items() if name not in since_1_1} | {"schema": "page/1"}
    newer = json.loads(encode(page(2))) | {"schema": "page/1.99", "of_a_later_version": {"any": ["thing"]}}
    other = json.loads(encode(page(3))) | {"schema": "page/2"}
    for message in (older, newer, other):
        backbone.send_bytes(topic, json.dumps(message).encode(), message["page_id"])
    with backbone.running(ClassifyStage(WordClassifier(), backbone.topics, clock)) as run:
        until(lambda: run.loop.status().summary.records == 3, "all records")
    judged = {one.page_id for one in backbone.events(backbone.topics.pages_judged)}
    assert judged == {page(1).page_id, page(2).page_id}
    (message,) = backbone.messages(backbone.topics.dead_letters(topic))
    letter = read_letter(tuple(message.headers))
    assert json.loads(message.value) == other
    assert (letter.error, letter.message) == ("PoisonError", "unknown schema 'page/2'")
