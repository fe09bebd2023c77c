import json

import jsonschema
import msgspec
import pytest

from events import encode
from events.schema import FOLDER, documents, main, stale
from tests.unit.events.pages import judged, page


def test_the_schemas_in_the_repository_are_current():
    assert stale() == []


def test_a_change_is_noticed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("events.schema.FOLDER", tmp_path)
    assert main(["--check"]) == 1
    assert "page-1.json is not current" in capsys.readouterr().err
    assert main([]) == 0
    assert main(["--check"]) == 0


@pytest.mark.parametrize("name", documents())
def test_each_schema_is_a_valid_json_schema(name):
    jsonschema.Draft202012Validator.check_schema(json.loads((FOLDER / name).read_text()))


def test_a_page_on_the_wire_keeps_its_schema():
    schema = json.loads((FOLDER / "page-1.json").read_text())
    jsonschema.validate(msgspec.json.decode(encode(page())), schema)


def test_an_explained_judgement_on_the_wire_keeps_its_schema():
    schema = json.loads((FOLDER / "judged-1.json").read_text())
    jsonschema.validate(msgspec.json.decode(encode(judged())), schema)
