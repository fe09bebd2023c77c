"""The field of an item's own language, and its analyzer where the server has one."""

from __future__ import annotations

from typing import Any

import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig
from elasticsearch import BadRequestError

from storage.elastic.documents import item_document
from storage.elastic.queries import items_query
from storage.elastic.templates import ANALYZERS, template
from storage.merge import Held, with_event
from storage.port import ItemQuery
from tests.contract.samples import NOON, judged, verdict

META = ApiResponseMeta(400, "1.1", HttpHeaders(), 0.0, NodeConfig("http", "a.example", 9200))


class FakeServer:
    """Has these analyzers."""

    def __init__(self, *analyzers: str) -> None:
        self.indices = self
        self._analyzers = analyzers

    def analyze(self, *, analyzer: str, text: str) -> None:
        if analyzer not in self._analyzers:
            raise BadRequestError(f"failed to find global analyzer [{analyzer}]", META, {})


def analyzers(*known: str) -> dict[str, str]:
    made = template("items", FakeServer(*known))  # type: ignore[arg-type]
    fields = made["template"]["mappings"]["properties"]["guidewatch"]["properties"]["search"]["properties"]
    found = {name: {one["analyzer"] for one in fields[name]["properties"].values()} for name in ANALYZERS}
    return {name: one for name, (one,) in found.items()}


def test_core_server_gets_fields_that_it_can_make() -> None:
    assert set(analyzers().values()) == {"standard"}


def test_full_server_gets_its_analyzer_of_each_language_and_the_best_for_chinese() -> None:
    full = ("arabic", "english", "french", "russian", "spanish", "cjk")
    expected = {"ar": "arabic", "en": "english", "es": "spanish", "fr": "french", "ru": "russian", "zh": "cjk"}
    assert analyzers(*full) == expected
    assert analyzers(*full, "smartcn") == expected | {"zh": "smartcn"}


@pytest.mark.parametrize("language", [*ANALYZERS, "de"])
def test_text_is_in_the_field_of_the_language_of_its_verdict_and_in_no_other(language: str) -> None:
    item = with_event(Held(), judged(says=verdict(language=language)), NOON).item
    assert item is not None
    search: dict[str, Any] = item_document(item)["guidewatch"]["search"]
    own = {language: {"title": item.title, "text": item.text}} if language in ANALYZERS else {}
    assert search == {"title": "about one", "text": "a page about one"} | own


def test_query_in_one_language_asks_no_field_of_another() -> None:
    (part,) = items_query(ItemQuery(text="workshop", language=("fr",)))["bool"]["must"]
    folded, analysed = part["dis_max"]["queries"]
    assert folded["multi_match"]["fields"] == ["guidewatch.search.title^3", "guidewatch.search.text"]
    assert analysed["multi_match"]["fields"] == ["guidewatch.search.fr.title^3", "guidewatch.search.fr.text"]
    (part,) = items_query(ItemQuery(text="workshop"))["bool"]["must"]
    assert len(part["dis_max"]["queries"][1]["multi_match"]["fields"]) == 2 * len(ANALYZERS)
