"""Encoders behind one small protocol (ADR 0004): `make` builds one by its name."""

from __future__ import annotations

from collections.abc import Callable

from classifier.encoders.protocol import Embeddings, Encoder, EncoderError

__all__ = ["NAMES", "Embeddings", "Encoder", "EncoderError", "make"]

NAMES = "use, e5, or sentence-transformers:<id or folder>"
"""What `make` takes, for help texts and messages."""


def _use() -> Encoder:
    from classifier.encoders.use import UseEncoder

    return UseEncoder()


def _e5() -> Encoder:
    from classifier.encoders.e5 import E5Encoder

    return E5Encoder()


def _sentence_transformers(model: str) -> Encoder:
    from classifier.encoders.transformers import SentenceTransformersEncoder

    return SentenceTransformersEncoder(model)


_PACKAGED: dict[str, Callable[[], Encoder]] = {"use": _use, "e5": _e5}


def make(name: str) -> Encoder:
    """Return the encoder called ``name``: ``use``, ``e5`` or ``sentence-transformers:<id or folder>``.

    Raises
    ------
    EncoderError
        Unknown name, missing extra, or a model that cannot be loaded; one line.
    """
    kind, _, model = name.partition(":")
    if name in _PACKAGED:
        return _PACKAGED[name]()
    if kind == "sentence-transformers" and model.strip():
        return _sentence_transformers(model)
    raise EncoderError(f"unknown encoder {name!r}: choose {NAMES}")
