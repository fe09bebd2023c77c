"""JSON on the wire, and the one exception for what cannot be read."""

from __future__ import annotations

from typing import Any

import msgspec

from events.catalogue import EVENT_TYPES
from events.crawls import CrawlState, PartitionProgress, RequestDone
from events.messages import Event


class PoisonError(ValueError):
    """The bytes are not an event that this version can read; retrying cannot help."""


class _Header(msgspec.Struct):
    schema: str


_encoder = msgspec.json.Encoder()
_header = msgspec.json.Decoder(_Header)
_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(kind) for name, kind in EVENT_TYPES.items()
}


def encode(event: Event | CrawlState | RequestDone | PartitionProgress) -> bytes:
    """Return the event as UTF-8 JSON."""
    return _encoder.encode(event)


def decode(data: bytes, *expected: type) -> Any:
    """Return the event in ``data``.

    Parameters
    ----------
    data
        One JSON object with a ``schema`` field; unknown fields are ignored.
    expected
        If given, the types that the caller can work with; any other is poison.

    Raises
    ------
    PoisonError
        Not JSON, no or unknown ``schema``, an unknown major version, a field missing or out of range, or a
        type that is not ``expected``.
    """
    try:
        schema = _header.decode(data).schema
        decoder = _decoders.get(schema.partition(".")[0])
        if decoder is None:
            raise PoisonError(f"unknown schema {schema!r}")
        event = decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise PoisonError(str(error)) from error
    except UnicodeDecodeError as error:
        raise PoisonError(f"not UTF-8: {error.reason}") from error
    except RecursionError as error:
        raise PoisonError("nested too deeply") from error
    if expected and not isinstance(event, expected):
        raise PoisonError(f"{schema!r} does not belong on this topic")
    return event
