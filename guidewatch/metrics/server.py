"""The HTTP server of a process's metrics and health: small, on threads that keep no process alive, with limits."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from guidewatch.errors import UserMistakeError
from guidewatch.metrics.process import Answer, Endpoint

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 8
"""More than so many at once are closed unanswered."""
MAX_REQUEST_S = 5.0
"""A connection ends after so many seconds, whatever its client does."""
_LOOK_S = 0.2


class MetricsServer(ThreadingHTTPServer):
    """Listens from the start, answers while `running`.

    Parameters
    ----------
    endpoint
        Answers.
    host, port
        Where to listen; port 0 takes a free one.

    Raises
    ------
    UserMistakeError
        The address is taken or not ours.
    """

    request_queue_size = 2 * MAX_CONNECTIONS
    daemon_threads = True
    block_on_close = False

    def __init__(self, endpoint: Endpoint, host: str, port: int) -> None:
        self.endpoint = endpoint
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._open: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise UserMistakeError(
                f"metrics cannot be shown at {host} port {port}: {error.strerror or error}; set "
                "GUIDEWATCH_METRICS_HOST and GUIDEWATCH_METRICS_PORT, 0 for a free port, empty for none"
            ) from error
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.server_address[1]}"

    def server_bind(self) -> None:
        """Bind, without the look-up of our own name that the base class does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @contextmanager
    def running(self) -> Iterator[None]:
        """Answer requests while the block runs."""
        thread = threading.Thread(target=self.serve_forever, args=(_LOOK_S,), name="metrics", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            self.server_close()
            self._end(float("inf"))

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer on a thread, unless there are too many already."""
        with self._lock:
            full = len(self._open) >= MAX_CONNECTIONS
            if not full:
                self._open[request] = time.monotonic() + MAX_REQUEST_S
        if full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End what takes too long; called several times a second."""
        self._end(time.monotonic())

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Note that a client went away, or took too long: its own affair."""
        log.debug("a request for metrics or health came to nothing", exc_info=True)

    def _end(self, now_s: float) -> None:
        with self._lock:
            late = [request for request, until_s in self._open.items() if until_s < now_s]
        for request in late:
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    """One request a connection (HTTP/1.0)."""

    server: MetricsServer
    timeout = MAX_REQUEST_S
    server_version = "guidewatch"
    sys_version = ""

    def do_GET(self) -> None:
        self._send(self._answer())

    def do_HEAD(self) -> None:
        self._send(self._answer())

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what is no request of ours, in one line."""
        self._send(Answer(405, b"only GET and HEAD\n") if code == 501 else Answer(code, b"that is no request\n"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: probes come every few seconds."""

    def _answer(self) -> Answer:
        try:
            return self.server.endpoint.answer(self.path, self.headers.get("Accept", ""))
        except Exception:
            log.exception("a request for %.40r could not be answered", self.path)
            return Answer(500, b"this is a fault in guidewatch, and it has been logged\n")

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if answer.status == 405:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
