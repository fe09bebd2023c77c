import numpy as np
import pytest

from classifier.encoders import make
from tests.contract import encoding


@pytest.fixture(scope="module")
def encoder():
    return make("use")


def test_the_same_text_gives_the_same_vector_alone_and_in_any_batch(encoder):
    encoding.same_alone_and_in_any_batch(encoder)


def test_calls_at_the_same_time_give_the_same_vectors():
    encoding.same_from_so_many_threads_as_it_says(make("use"))


def test_vectors_are_of_unit_length_and_512_wide(encoder):
    encoding.unit_vectors_of_one_shape(encoder, 512)


def test_any_text_is_taken(encoder):
    encoding.any_text_is_taken(encoder)


def test_a_text_is_nearer_to_its_translation_than_to_another(encoder):
    encoding.nearer(encoder, "The museum opens on Monday.", "Музей открывается в понедельник.", "Суп остыл на столе.")


def test_what_is_past_the_limit_changes_nothing(encoder):
    long = "garden " * 300
    one, two = encoder.encode([long[:2000], long])
    assert np.array_equal(one, two)
