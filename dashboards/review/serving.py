"""Running the app under uvicorn, and ending it in time."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from dashboards import REVIEW_PORT

STOP_TIMEOUT_S = 3


@contextlib.contextmanager
def _signals(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Give SIGTERM and SIGINT to ``handler`` while the block runs; elsewhere than in the main thread do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


class _Server(uvicorn.Server):
    """Ends on SIGTERM and SIGINT and then lets the caller go on, where uvicorn's own raises the signal again."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with _signals(self.handle_exit):
            yield


class ReviewServer:
    """The app at an address.

    Parameters
    ----------
    app
        What `make_app` returned.
    host
        Address to bind; a loopback address unless the installation says otherwise.
    port
        TCP port; 0 takes a free one.

    Raises
    ------
    OSError
        The address is taken or not ours.
    """

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", port: int = REVIEW_PORT) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        bound = self._socket.getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{bound}"
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=STOP_TIMEOUT_S,
        )
        self._server = _Server(config)

    def run(self) -> None:
        """Serve until `stop`, SIGTERM or SIGINT."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Ask `run` to end; it does within a few seconds."""
        self._server.should_exit = True


def serve(
    app: ASGIApp,
    host: str = "127.0.0.1",
    port: int = REVIEW_PORT,
    *,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the app until SIGTERM or SIGINT, then return within 5 s.

    Parameters
    ----------
    app, host, port
        See `ReviewServer`.
    ready
        Called with the address once it is bound.

    Raises
    ------
    OSError
        The address is taken or not ours.
    """
    server = ReviewServer(app, host, port)
    with _signals(lambda *_: server.stop()):  # uvicorn takes them only once its loop runs
        if ready is not None:
            ready(server.url)
        server.run()
