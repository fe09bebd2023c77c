"""Any sentence-transformers model, by hub id or folder (extra ``transformers``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classifier.encoders.protocol import Embeddings, EncoderError, encodable

MAX_CHARS = 20_000
"""More than any of these models reads, and little enough for their tokenisers."""


class SentenceTransformersEncoder:
    """Any `sentence_transformers.SentenceTransformer` that encodes text, on the CPU.

    Texts are encoded one by one: padding to the longest text of a batch moves the vectors of the others.

    Parameters
    ----------
    model
        Hub id, or path of a folder (kept as an absolute path in ``name``).
    threads
        PyTorch threads, of the whole process.

    Raises
    ------
    EncoderError
        The extra is not installed, or there is no such model or a damaged one.
    """

    at_once = 1

    def __init__(self, model: str, threads: int = 1) -> None:
        try:
            import torch
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EncoderError(
                "sentence-transformers is not installed: pip install 'guidewatch[transformers]'"
            ) from error
        torch.set_num_threads(threads)
        model = str(Path(model).resolve()) if Path(model).is_dir() else model
        self.name = f"sentence-transformers:{model}"
        try:
            self._model: Any = SentenceTransformer(model, device="cpu", trust_remote_code=False)
            self.dim = self._vector("").shape[0]
        except Exception as error:  # the libraries below raise many kinds, some of them bare Exception
            raise EncoderError(f"cannot load the sentence-transformers model {model!r}: {_line(error)}") from error

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return (n, dim); each text is cut at the model's own limit."""
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._vector(text)
        return vectors

    def _vector(self, text: str) -> Embeddings:
        vector: Embeddings = self._model.encode(
            encodable(text, MAX_CHARS), normalize_embeddings=True, show_progress_bar=False
        )
        return vector


def _line(error: Exception) -> str:
    """Return what an error says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__
