"""A process of its own and the socket to it: frames go out and come in without a thread, and none may be too long."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable

import msgspec

from crawlers.extraction.worker import LENGTH_BYTES, Limits

_CHUNK_BYTES = 65_536
_KEPT = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR")
"""What the process sees of the environment: nothing secret."""


class Channel:
    """Starts ``module`` as a process that answers each frame with one.

    Parameters
    ----------
    module
        What the process runs; its standard input and output are the socket.
    limits
        Its first argument, as JSON; ``answer_bytes`` is the most that a frame from it may have.
    heard
        Called with each frame.
    ended
        Called when there will be no further frame: the process has ended, or said what it must not.

    Raises
    ------
    OSError
        There is no room for another process.
    """

    def __init__(self, module: str, limits: Limits, heard: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        self._most = limits.answer_bytes
        self._heard = heard
        self._ended = ended
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unread = bytearray()
        self._unsent = memoryview(b"")
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        try:
            self._process = subprocess.Popen(  # noqa: S603 ourselves
                [sys.executable, "-P", "-m", module, msgspec.json.encode(limits).decode()],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                env={**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                start_new_session=True,
            )
        except OSError:
            self._socket.close()
            raise
        finally:
            theirs.close()

    def attend(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Listen in ``loop``; return whether the process is there."""
        if self._process.poll() is not None:
            return False
        if self._loop is not loop:
            self._leave()
            self._loop = loop
            loop.add_reader(self._socket, self._read)
        return True

    def send(self, frame: bytes) -> None:
        """Send a frame; what the socket does not take now goes out later."""
        self._unsent = memoryview(len(frame).to_bytes(LENGTH_BYTES) + frame)
        self._write()
        if self._unsent and self._loop is not None:
            self._loop.add_writer(self._socket, self._write)

    def kill(self) -> int:
        """End the process and return its exit status, which is its own where it had ended before."""
        self._process.kill()
        self._leave()
        self._socket.close()
        return self._process.wait()

    def _leave(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)

    def _write(self) -> None:
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            return
        except OSError:
            self._unsent = memoryview(b"")  # the end is seen where frames are read
        if not self._unsent and self._loop is not None:
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            data = self._socket.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._unread += data
        if data and len(self._unread) < LENGTH_BYTES:
            return
        length = int.from_bytes(self._unread[:LENGTH_BYTES])
        missing = LENGTH_BYTES + length - len(self._unread)
        if not data or length > self._most or missing < 0:
            self._ended()
        elif not missing:
            frame, self._unread = bytes(memoryview(self._unread)[LENGTH_BYTES:]), bytearray()
            self._heard(frame)
