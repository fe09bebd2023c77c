"""Today's readers hold what was recorded of every released version (CONTRIBUTING.md says how to record one)."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from events import decode
from events.catalogue import EVENT_TYPES
from events.schema import documents
from tests.unit.events.compatibility import breaks
from tests.unit.events.recording import FOLDER, main, meaning, record, samples

MESSAGES = sorted(FOLDER.glob("*/*.json"))
SCHEMAS = sorted(FOLDER.glob("*/schemas/*.json"))
VERSIONS = sorted(path.name for path in FOLDER.iterdir())


def name_of(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def lost(recorded: Any, now: Any, path: str = "event") -> list[str]:
    """Return where something recorded is another thing now; what was added since is no loss."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        return [
            place for key, value in recorded.items() for place in lost(value, now.get(key, "gone"), f"{path}.{key}")
        ]
    if isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        return [
            place
            for number, pair in enumerate(zip(recorded, now, strict=True))
            for place in lost(*pair, f"{path}[{number}]")
        ]
    return [] if recorded == now else [f"{path}: {recorded!r} is {now!r}"]


@pytest.mark.parametrize("path", MESSAGES, ids=name_of)
def test_recorded_message_means_what_it_meant(path: Path) -> None:
    recorded = json.loads(path.read_text("utf-8"))
    assert lost(recorded["meaning"], meaning(decode(recorded["wire"].encode()))) == []


@pytest.mark.parametrize("path", SCHEMAS, ids=name_of)
def test_schema_breaks_no_recorded_one(path: Path) -> None:
    now = documents()
    assert path.name in now, "a kind of event is gone: messages of it may still lie in a topic"
    assert breaks(json.loads(path.read_text("utf-8")), json.loads(now[path.name])) == []


def test_every_released_version_is_recorded() -> None:
    changelog = (Path(__file__).parents[3] / "CHANGELOG.md").read_text("utf-8")
    released = re.findall(r"^## \[?(\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    assert [version for version in released if version not in VERSIONS] == []
    assert VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_recording_is_whole(version: str) -> None:
    schemas = {path.stem for path in (FOLDER / version / "schemas").iterdir()}
    assert {f"{path.stem}-1" for path in (FOLDER / version).glob("*.json")} == schemas


def test_a_message_of_every_event_is_recorded_with_something_in_every_field(tmp_path: Path) -> None:
    assert {event.schema.partition(".")[0] for event in samples().values()} == set(EVENT_TYPES)
    record("9.9.9", tmp_path)
    for path in (tmp_path / "9.9.9").glob("*.json"):
        said = json.loads(path.read_text("utf-8"))["meaning"]
        assert [key for key, value in said.items() if value in (None, "", [], {})] == []


def test_recording_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(VERSIONS[:1]) == 2
    assert "never changed" in capsys.readouterr().err
    assert main(["one"]) == 2


OLD: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "maxLength": 32},
        "kind": {"enum": ["a", "b"]},
        "share": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]},
        "count": {"type": "integer"},
        "inner": {"$ref": "#/$defs/Inner"},
        "many": {"type": "array", "items": {"type": "string"}},
        "by_name": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
    "$defs": {"Inner": {"type": "object", "required": [], "properties": {"x": {"type": "string"}}}},
}


def changed(change: str) -> dict[str, Any]:
    new = copy.deepcopy(OLD)
    exec(change, {"new": new, "of": new["properties"], "inner": new["$defs"]["Inner"]})
    return new


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("del of['kind']", "event.kind: the field is gone"),
        ("del inner['properties']['x']", "event.inner.x: the field is gone"),
        ("new['required'].append('kind')", "event.kind: the field is required now"),
        ("of['new'] = {'type': 'string'}; new['required'].append('new')", "event.new: the field is required now"),
        ("inner['required'].append('x')", "event.inner.x: the field is required now"),
        ("of['kind']['enum'].remove('b')", "event.kind: ['b'] is not allowed any more"),
        ("of['id']['enum'] = ['a']", "event.id: any value was allowed"),
        ("of['id']['maxLength'] = 31", "event.id: maxLength is 31"),
        ("of['id']['minLength'] = 1", "event.id: minLength is 1"),
        ("of['id']['pattern'] = '^x'", "event.id: pattern is '^x'"),
        ("of['share']['anyOf'].pop()", "event.share: type null is number"),
        ("of['share']['anyOf'][0]['minimum'] = 1", "event.share: minimum is 1"),
        ("of['share']['anyOf'][0]['type'] = 'integer'", "event.share: type number is integer"),
        ("of['count']['type'] = 'string'", "event.count: type integer is string"),
        ("of['many']['items']['type'] = 'integer'", "event.many[]: type string is integer"),
        ("of['by_name']['additionalProperties']['maximum'] = 9", "event.by_name[]: maximum is 9"),
    ],
)
def test_a_breaking_change_is_found(change: str, said: str) -> None:
    (found,) = breaks(OLD, changed(change))
    assert found.startswith(said)


@pytest.mark.parametrize(
    "change",
    [
        "pass",
        "of['new'] = {'type': 'string'}",
        "of['kind']['enum'].append('c')",
        "of['id']['maxLength'] = 64",
        "del of['id']['maxLength']",
        "of['count']['type'] = 'number'",
        "of['count'] = {'anyOf': [{'type': 'null'}, {'type': 'integer'}]}",
        "inner['properties']['y'] = {'type': 'string'}",
        "new['required'].remove('id')",
    ],
)
def test_a_change_that_breaks_nothing_is_not(change: str) -> None:
    assert breaks(OLD, changed(change)) == []


def test_a_changed_meaning_is_found() -> None:
    recorded = {"a": 1, "b": {"c": [1, {"d": None}]}}
    assert lost(recorded, {"a": 1, "b": {"c": [1, {"d": None, "new": 2}]}, "new": 3}) == []
    assert lost(recorded, {"a": 2, "b": {"c": [1, {"d": 0}]}}) == ["event.a: 1 is 2", "event.b.c[1].d: None is 0"]
    assert lost(recorded, {"a": 1}) == ["event.b: {'c': [1, {'d': None}]} is 'gone'"]
