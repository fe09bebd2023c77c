"""The DNS answers that led to a page, for its evidence."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address

from aiohttp.abc import ResolveResult

from crawlers.evidence.records import Resolution, host_of
from crawlers.guard.resolver import Lookup


def noting(lookup: Lookup, note: Callable[[Resolution], None], clock: Callable[[], datetime]) -> Lookup:
    """Return a lookup that tells ``note`` of every answer.

    Parameters
    ----------
    lookup
        Resolves names.
    note
        Called with each answer, in the thread of the event loop.
    clock
        Returns the time as aware UTC.
    """

    async def look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        found = await lookup(host, port, family)
        addresses = dict.fromkeys(str(ip_address(result["host"].partition("%")[0])) for result in found)
        if addresses:
            note(Resolution(host=host_of(host), addresses=tuple(addresses), at=clock()))
        return found

    return look_up
