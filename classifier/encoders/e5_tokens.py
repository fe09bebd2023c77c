"""The tokeniser of multilingual-e5-small: SentencePiece on the vocabulary that comes with the weights."""

from __future__ import annotations

import struct

from sentencepiece import SentencePieceProcessor

from classifier.encoders.e5_weights import Vocabulary

_NORMAL, _UNKNOWN, _CONTROL = 1, 2, 3


class Tokeniser:
    """Turns texts into token numbers.

    Parameters
    ----------
    vocabulary
        Pieces, scores and the rules that come before them.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._processor = SentencePieceProcessor(model_proto=_model(vocabulary))

    def encode(self, text: str, most: int) -> list[int]:
        """Return at most ``most`` tokens, with the marks of begin and end."""
        known = self._vocabulary
        tokens: list[int] = self._processor.encode(text.translate(known.replacements))
        return [known.begin, *tokens[: most - 2], known.end]


def _model(vocabulary: Vocabulary) -> bytes:
    """Return the vocabulary as a SentencePiece ``ModelProto`` that does no normalising of its own but for spaces."""
    kinds = {vocabulary.unknown: _UNKNOWN, vocabulary.begin: _CONTROL, vocabulary.end: _CONTROL}
    parts = []
    for number, (piece, score) in enumerate(zip(vocabulary.pieces, vocabulary.scores.tolist(), strict=True)):
        text = piece.encode("utf-8")
        kind = kinds.get(number, _NORMAL)
        parts.append(_field(1, _field(1, text) + b"\x15" + struct.pack("<f", score) + _number(3, kind)))
    marks = ((3, 1), (40, vocabulary.unknown), (41, vocabulary.begin), (42, vocabulary.end))
    parts.append(_field(2, b"".join(_number(field, value) for field, value in marks)))
    parts.append(_field(3, _field(1, b"identity")))
    return b"".join(parts)


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
