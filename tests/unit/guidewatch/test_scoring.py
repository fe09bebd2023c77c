"""How `guidewatch score` and `guidewatch train` go about their work, without a model."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classifier import Document, Verdict
from guidewatch import composition
from guidewatch.cli import app
from guidewatch.commands import scoring
from guidewatch.documents import Given
from guidewatch.errors import UserMistakeError


class Judge:
    """Flags what names a guide; remembers the size of each batch."""

    def __init__(self):
        self.batches = []

    def judge(self, documents):
        self.batches.append(len(documents))
        outcomes = ["flagged" if "guide" in one.text else "not_flagged" for one in documents]
        return [Verdict(outcome, 0.5, 0.5, "en", "m") for outcome in outcomes]


@pytest.fixture
def judge(monkeypatch):
    made = Judge()
    monkeypatch.setattr(composition, "classifier", lambda model: made)
    return made


def score(*arguments, stdin=b""):
    done = CliRunner().invoke(app, ["score", *map(str, arguments)], input=stdin)
    return done.exit_code, [json.loads(line)["id"] for line in done.stdout.splitlines()], done.stderr.splitlines()


def test_every_good_line_is_written_in_order_and_every_bad_one_named(judge, tmp_path):
    path = tmp_path / "in.jsonl"
    rows = [b'{"id": %d, "text": "a garden"}' % number for number in range(200)]
    rows[3] = rows[100] = rows[199] = b"{"
    path.write_bytes(b"\n".join(rows))
    status, written, said = score("--jsonl", path)
    assert status == 2
    assert written == [number for number in range(200) if number not in (3, 100, 199)]
    named = [line for line in said if line.startswith("guidewatch: ")]
    assert [line.split(": ")[1] for line in named] == [f"{path}, line {number}" for number in (4, 101, 200)]
    assert said[-1] == "197 scored, 0 flagged, 3 could not be read"


def test_a_bad_file_loses_none_of_the_others(judge, tmp_path):
    paths = [tmp_path / name for name in ("a.txt", "b.pdf", "c.txt", "d.txt")]
    for path in paths[:3]:
        path.write_text("a guide")
    status, written, said = score(*paths)
    assert (status, written) == (2, [str(paths[0]), str(paths[2])])
    assert said == [
        f"guidewatch: {paths[1]}: pdf cannot be parsed",
        f"guidewatch: {paths[3]}: No such file or directory",
        "2 scored, 2 flagged, 2 could not be read",
    ]


def test_all_that_is_good_is_status_0(judge):
    assert score("--jsonl", "-", stdin=b'{"id": "a", "text": "a garden"}\n')[:2] == (0, ["a"])


def test_without_a_document_no_model_is_loaded(judge, monkeypatch, tmp_path):
    def never(model):
        raise AssertionError("loaded")

    monkeypatch.setattr(composition, "classifier", never)
    status, written, said = score(tmp_path / "picture.gif")
    assert (status, written, len(said)) == (2, [], 2)


def test_long_texts_make_short_batches():
    long = [Given(number, Document(text="x" * 900_000)) for number in range(7)]
    short = [Given(number, Document(text="x")) for number in range(130)]
    assert [len(batch) for batch in scoring._batches(long)] == [3, 3, 1]
    assert [len(batch) for batch in scoring._batches(short)] == [64, 64, 2]


@pytest.mark.parametrize("place", ["file", "/proc/guidewatch/model"])
def test_a_folder_that_cannot_be_written_is_said_before_training(monkeypatch, tmp_path, place):
    def never(*arguments, **options):
        raise AssertionError("trained")

    monkeypatch.setattr("classifier.training.train", never)
    (tmp_path / "file").touch()
    with pytest.raises(UserMistakeError, match="choose another --to folder"):
        CliRunner().invoke(app, ["train", "--to", str(tmp_path / place)], catch_exceptions=False)


def test_training_that_fails_leaves_no_empty_folder(monkeypatch, tmp_path):
    def fails(*arguments, **options):
        assert Path(tmp_path / "new" / "model").is_dir()
        raise RuntimeError("no")

    monkeypatch.setattr("classifier.training.train", fails)
    with pytest.raises(RuntimeError, match="no"):
        CliRunner().invoke(app, ["train", "--to", str(tmp_path / "new" / "model")], catch_exceptions=False)
    assert not (tmp_path / "new" / "model").exists()
