import json

import pytest
from typer.testing import CliRunner

from classifier.evaluation.markdown import BEGIN, END
from guidewatch import composition
from guidewatch.cli import app
from guidewatch.errors import status_of
from tests.unit.classifier.evaluation.judges import WordJudge, page, write


@pytest.fixture
def data(tmp_path):
    return write(tmp_path / "a.jsonl", [page(1, "flag", 1), page(2, "calm", 0)])


@pytest.fixture
def loaded(monkeypatch):
    """What was loaded as a model; loading is slow, so it comes after every check."""
    asked = []
    monkeypatch.setattr(composition, "classifier", lambda model: asked.append(model) or WordJudge())
    return asked


def run(*arguments):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_the_report_its_json_and_the_tables_are_written(data, tmp_path, loaded):
    card = tmp_path / "card.md"
    card.write_text(f"# Card\n\n{BEGIN}\n{END}\n\nThe end.\n")
    done = run(
        data,
        "--json",
        "--report",
        tmp_path / "new" / "r",
        "--card",
        card,
        "--markdown",
        tmp_path / "all.md",
        "--model",
        "m",
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == json.loads((tmp_path / "new" / "r" / "report.json").read_text())
    assert (tmp_path / "new" / "r" / "report.html").read_text().startswith("\n") is False
    assert card.read_text().startswith("# Card")
    assert card.read_text().endswith("The end.\n")
    assert "recall over the six languages" in card.read_text()
    assert "| stratum |" in (tmp_path / "all.md").read_text()
    assert [str(model) for model in loaded] == ["m"]


def test_nothing_is_written_where_nothing_is_asked_for(data, tmp_path, loaded):
    done = run(data)
    assert done.exit_code == 0
    assert done.stdout == ""
    assert "recall over the six languages" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def bad_line(folder):
    path = folder / "bad.jsonl"
    path.write_text('{"id": "1", "text": "x", "label": 1}\n{"id": "2"}\n')
    return [path]


def one_marker(folder):
    (folder / "doc.md").write_text(BEGIN)
    return [write(folder / "a.jsonl", [page(1, "x", 1)]), "--markdown", folder / "doc.md"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (lambda _: [], "give files"),
        (lambda _: ["--cross-validate", "--hidden"], "give files of labelled pages"),
        (bad_line, "bad.jsonl, line 2: "),
        (lambda folder: [folder / "none.jsonl"], "none.jsonl: no such file"),
        (one_marker, "doc.md: has one marker"),
        (lambda folder: [*bad_line(folder), "--report", folder / "bad.jsonl"], "is a file, not a folder"),
        (lambda folder: [*bad_line(folder), "--card", folder / "no" / "card.md"], "there is no such folder"),
    ],
)
def test_a_mistake_is_named_in_one_line_before_a_model_is_loaded(tmp_path, loaded, arguments, complaint):
    done = run(*arguments(tmp_path))
    assert status_of(done.exception) == 2
    assert complaint in str(done.exception)
    assert "\n" not in str(done.exception)
    assert loaded == []
