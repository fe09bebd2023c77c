from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest

from dashboards.kibana import saved_objects
from dashboards.kibana.objects import FILE

OBJECTS = [json.loads(line) for line in saved_objects().splitlines()]


def _template_fields() -> set[str]:
    file = resources.files("storage.elastic") / "templates" / "items.json"
    found: set[str] = set()

    def walk(prefix: str, properties: dict[str, Any]) -> None:
        for name, field in properties.items():
            found.add(prefix + name)
            walk(f"{prefix}{name}.", field.get("properties", {}))

    walk("", json.loads(file.read_text())["template"]["mappings"]["properties"])
    return found


def _used_fields() -> set[str]:
    found: set[str] = set()
    for one in OBJECTS:
        attributes = one["attributes"]
        if one["type"] == "index-pattern":
            found |= {attributes["timeFieldName"], *json.loads(attributes["fieldFormatMap"])}
            found |= set(json.loads(attributes["fieldAttrs"]))
            found |= {rule["value"].removesuffix(".*") for rule in json.loads(attributes["sourceFilters"])}
        elif one["type"] == "lens":
            for layer in attributes["state"]["datasourceStates"]["formBased"]["layers"].values():
                found |= {column["sourceField"] for column in layer["columns"].values()}
    return found - {"___records___"}


def test_the_file_is_what_the_code_makes() -> None:
    assert FILE.read_bytes() == saved_objects(), "run python -m dashboards.kibana"


def test_every_field_is_in_the_index_template() -> None:
    used = _used_fields()
    assert {"@timestamp", "guidewatch.language", "guidewatch.technique", "guidewatch.decision"} <= used
    assert used <= _template_fields()


def test_every_reference_resolves_and_every_panel_has_one() -> None:
    known = {(one["type"], one["id"]) for one in OBJECTS}
    assert len(known) == len(OBJECTS)
    for one in OBJECTS:
        assert {(ref["type"], ref["id"]) for ref in one["references"]} <= known
    (dashboard,) = [one for one in OBJECTS if one["type"] == "dashboard"]
    names = {ref["name"] for ref in dashboard["references"]}
    panels = json.loads(dashboard["attributes"]["panelsJSON"])
    assert {f"{panel['panelIndex']}:{panel['panelRefName']}" for panel in panels} == names
    assert len(panels) == len([one for one in OBJECTS if one["type"] == "lens"])


@pytest.mark.parametrize("one", [one for one in OBJECTS if one["type"] == "lens"], ids=lambda one: one["id"])
def test_every_column_that_a_panel_shows_exists(one: dict[str, Any]) -> None:
    state = one["attributes"]["state"]
    ((layer_id, layer),) = state["datasourceStates"]["formBased"]["layers"].items()
    assert layer["columnOrder"] == list(layer["columns"])
    assert [ref["name"] for ref in one["references"]] == [f"indexpattern-datasource-layer-{layer_id}"]
    shown = state["visualization"]
    layers = shown.get("layers", [shown])
    used = {column["columnId"] for column in shown.get("columns", [])}
    used |= {name for part in layers for name in (part.get("xAccessor"), *part.get("accessors", [])) if name}
    used |= {
        column["params"]["orderBy"]["columnId"]
        for column in layer["columns"].values()
        if column["operationType"] == "terms"
    }
    assert used == set(layer["columns"])
    assert {part["layerId"] for part in layers} == {layer_id}


def test_the_page_id_links_to_the_review_app() -> None:
    objects = [json.loads(line) for line in saved_objects("https://review.example/app/", "other-items").splitlines()]
    (view,) = [one for one in objects if one["type"] == "index-pattern"]
    assert view["attributes"]["title"] == "other-items"
    formats = json.loads(view["attributes"]["fieldFormatMap"])
    assert formats["guidewatch.page_id"]["params"]["urlTemplate"] == (
        "https://review.example/app/items/{{value}}?decision=all"
    )
