import json

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from classifier import Document
from classifier.registry import Fitted, ModelError, load, save
from tests.unit.classifier.toys import ToyEncoder, toy_corpus


@pytest.fixture
def folder(fitted, tmp_path):
    save(fitted, tmp_path / "model")
    return tmp_path / "model"


def test_a_saved_model_judges_as_before(folder):
    one, two = (load(folder, encoder=ToyEncoder()) for _ in range(2))
    documents = [Document(row.text) for row in toy_corpus()]
    assert [v.score for v in one.judge(documents)] == [v.score for v in two.judge(documents)]


def test_the_card_speaks_of_the_model(folder):
    card = (folder / "MODEL_CARD.md").read_text()
    meta = json.loads((folder / "meta.json").read_text())
    assert meta["version"] in card
    assert str(meta["metrics"]["recall"]) in card


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "meta.json").unlink(), "no meta.json"),
        (lambda folder: (folder / "meta.json").write_text("{"), "damaged"),
        (lambda folder: (folder / "meta.json").write_text('{"format": 99}'), "format 1"),
        (lambda folder: (folder / "model.skops").unlink(), "cannot be read"),
        (lambda folder: (folder / "model.skops").write_bytes(b"x"), "SHA-256"),
    ],
)
def test_a_damaged_folder_is_refused(folder, damage, message):
    damage(folder)
    with pytest.raises(ModelError, match=message):
        load(folder, encoder=ToyEncoder())


def test_a_type_that_is_not_allowed_is_refused(fitted, tmp_path):
    """Whoever can write both files can pass the hash; the allow-list still holds."""
    foreign = Fitted({**fitted.estimators, "page": FunctionTransformer(np.exp)}, fitted.meta)
    save(foreign, tmp_path)
    data = skops.io.dumps({"page": ToyEncoder()})
    import hashlib

    meta = json.loads((tmp_path / "meta.json").read_text()) | {"model_sha256": hashlib.sha256(data).hexdigest()}
    (tmp_path / "model.skops").write_bytes(data)
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(tmp_path, encoder=ToyEncoder())


def test_a_missing_encoder_is_said(folder):
    meta = json.loads((folder / "meta.json").read_text()) | {"encoder": "nobody-knows"}
    (folder / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(ModelError, match="unknown encoder 'nobody-knows'"):
        load(folder)


@pytest.mark.parametrize("part", ["context", "subjects/firearm_joint", "page"])
def test_a_model_that_lacks_a_part_is_refused(fitted, tmp_path, part):
    save(Fitted({name: made for name, made in fitted.estimators.items() if name != part}, fitted.meta), tmp_path)
    with pytest.raises(ModelError, match=part):
        load(tmp_path, encoder=ToyEncoder())
