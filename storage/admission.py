"""Which events a store takes: those that would survive the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from events import LabelRecorded, PageJudged, PoisonError, UrlEnded, decode, encode

Admitted = TypeVar("Admitted", PageJudged | UrlEnded, LabelRecorded)


def admit(events: Iterable[Admitted]) -> tuple[list[Admitted], list[tuple[str, str]]]:
    """Return the valid events, and (page id, reason) of the others.

    Structs made in Python are not checked when they are made, so one may hold half a character, a naive time or a
    probability of 7; here, before it meets a batch, each goes through the codec once.
    """
    taken: list[Admitted] = []
    refused: list[tuple[str, str]] = []
    for event in events:
        try:
            taken.append(decode(encode(event)))
        except (PoisonError, msgspec.MsgspecError, ValueError, TypeError, OverflowError) as error:
            refused.append((event.page_id, f"not a valid event: {error}"))
    return taken, refused
