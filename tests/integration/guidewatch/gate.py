"""A gate before a server: while it is shut, the server is away for whoever comes through it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Passes connections on to a port of loopback; open from the start.

    Parameters
    ----------
    port
        Of the server.
    """

    def __init__(self, port: int) -> None:
        self._server = port
        self._through: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accept()

    def shut(self) -> None:
        """Refuse new connections, and end those that there are."""
        for one in (self._listener, *self._through):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._through.clear()

    def open(self) -> None:
        """Let through again."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._accept()

    def _accept(self) -> None:
        threading.Thread(target=self._keep_accepting, args=(self._listener,), daemon=True).start()

    def _keep_accepting(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
            except OSError:
                return
            self._through += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while some := one.recv(65536):
            other.sendall(some)
        other.shutdown(socket.SHUT_WR)


@contextmanager
def gate_before(port: int) -> Iterator[Gate]:
    """Yield an open gate before a port, and shut it in the end."""
    gate = Gate(port)
    try:
        yield gate
    finally:
        gate.shut()
