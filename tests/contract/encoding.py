"""What every encoder must do."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

_WORDS = [
    "garden",
    "the",
    "a",
    "museum",
    "حديقة",
    "مصباح",
    "花园",
    "博物馆",
    "jardin",
    "musée",
    "фонарь",
    "сад",
    "½",
    "ﬁ",
]


def texts_of_mixed_lengths(count: int = 64) -> list[str]:
    """Return texts of one word to four hundred, four scripts mixed, always the same ones; one is empty."""
    chance = random.Random(4)
    lengths = [1, 2, 400, *(chance.randint(1, 60) for _ in range(count - 4))]
    return ["", *(" ".join(chance.choices(_WORDS, k=length)) for length in lengths)]


def same_alone_and_in_any_batch(encoder) -> None:
    """The same text gives the same vector to 1e-6, in batches of 1, 7 and 64."""
    texts = texts_of_mixed_lengths()
    together = encoder.encode(texts)
    assert len({vector.tobytes() for vector in together}) > 50
    for size in (1, 7):  # 64 is all of them
        apart = np.vstack([encoder.encode(texts[start : start + size]) for start in range(0, len(texts), size)])
        np.testing.assert_allclose(apart, together, rtol=0, atol=1e-6)


def same_from_so_many_threads_as_it_says(encoder) -> None:
    """Calls at the same time, also the very first ones, give to the last bit what calls in turn give."""
    groups = [texts_of_mixed_lengths()[start : start + 3] for start in range(0, 60, 3)]
    with threadpool_limits(1), ThreadPoolExecutor(encoder.at_once) as threads:
        at_once = list(threads.map(encoder.encode, groups))
    for vectors, texts in zip(at_once, groups, strict=True):
        np.testing.assert_array_equal(vectors, encoder.encode(texts))


def unit_vectors_of_one_shape(encoder, dim: int) -> None:
    """Vectors are float32 of unit length, one a text, none for none, and the encoder says their length."""
    vectors = encoder.encode(texts_of_mixed_lengths(9))
    assert (vectors.shape, vectors.dtype) == ((9, dim), np.float32)
    assert encoder.dim == dim
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, dim)


def any_text_is_taken(encoder) -> None:
    """No text raises: control characters, broken surrogates, one very long word."""
    odd = ["\x00\x01", "\ud800 half", "x" * 1_000_000, "\u202e\u200b", "\n\t ", "🏳️‍🌈" * 2000]
    assert np.isfinite(encoder.encode(odd)).all()


def nearer(encoder, one: str, like: str, unlike: str) -> None:
    """``one`` is nearer to ``like`` than to ``unlike``."""
    first, near, far = encoder.encode([one, like, unlike])
    assert first @ near > first @ far + 0.05
