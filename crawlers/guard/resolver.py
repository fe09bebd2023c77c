"""Name resolution that only ever answers with addresses that may be connected to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult

from crawlers.guard.policy import AddressPolicy

Lookup = Callable[[str, int, socket.AddressFamily], Awaitable[list[ResolveResult]]]

_MAX_LOOKUPS = 16


class ThreadLookup:
    """``getaddrinfo`` in daemon threads: a name server that never answers cannot hold up the end of the process."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_MAX_LOOKUPS)

    async def __call__(self, host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        """Return the addresses of ``host``.

        Raises
        ------
        OSError
            The name does not resolve.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[ResolveResult]] = loop.create_future()
        async with self._places:
            threading.Thread(target=_look_up, args=(loop, answer, (host, port, family)), daemon=True).start()
            return await answer


def _look_up(
    loop: asyncio.AbstractEventLoop,
    answer: asyncio.Future[list[ResolveResult]],
    question: tuple[str, int, socket.AddressFamily],
) -> None:
    host, port, family = question
    found: list[ResolveResult] | OSError
    try:
        found = [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        ]
    except UnicodeError as error:
        found = OSError(str(error))
    except OSError as error:
        found = error
    with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile: nobody waits any more
        loop.call_soon_threadsafe(_settle, answer, found)


def _settle(answer: asyncio.Future[list[ResolveResult]], found: list[ResolveResult] | OSError) -> None:
    if answer.done():
        return
    if isinstance(found, OSError):
        answer.set_exception(found)
    else:
        answer.set_result(found)


class GuardedResolver(AbstractResolver):
    """Resolve once and check every address; one forbidden address refuses the host.

    The connector caches and connects to exactly what is returned here, so a name cannot point elsewhere between
    check and connection.
    """

    def __init__(self, policy: AddressPolicy, lookup: Lookup) -> None:
        self._policy = policy
        self._lookup = lookup
        self._checked: set[tuple[str, int]] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the checked addresses of ``host``.

        Raises
        ------
        GuardRefusedError
            One of them is forbidden.
        OSError
            The name does not resolve.
        """
        found = await self._lookup(host, port, family)
        if not found:
            raise OSError(f"no address for {host}")
        for result in found:
            self._policy.check_address(host, port, ip_address(result["host"].partition("%")[0]))
        self._checked.update((result["host"], port) for result in found)
        return found

    def was_checked(self, address: str, port: int) -> bool:
        """Return whether ``address`` was an answer for some host at ``port``."""
        return (address, port) in self._checked

    async def close(self) -> None:
        """Nothing to release."""
