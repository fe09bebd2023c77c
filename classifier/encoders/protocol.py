"""What an encoder is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Embeddings = NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into vectors."""

    name: str
    """What `classifier.encoders.make` takes to build this encoder again, such as ``use``."""

    at_once: int
    """How many threads may call `encode` at the same time."""

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return unit vectors, float32 of shape (len(texts), dim).

        The same text gives the same vector to 1e-6, alone or in any batch.
        """


def encodable(text: str, most: int) -> str:
    """Return the first ``most`` characters of ``text``, with ``?`` for lone surrogates, which no tokeniser takes."""
    return text[:most].encode("utf-8", "replace").decode("utf-8")


class EncoderError(ValueError):
    """There is no such encoder here, or it cannot be loaded; the message, one line, says what to do."""
