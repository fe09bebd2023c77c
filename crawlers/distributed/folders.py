"""Folders for frontiers: one a session, and none stays of a spider that was killed."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger(__name__)

_PREFIX = "guidewatch-spider-"
_YOUNG_S = 60.0
"""A folder that is younger may be one that its spider has not locked yet."""


@contextlib.contextmanager
def session_folder(parent: Path | None = None) -> Iterator[Path]:
    """Yield a new folder, locked and for its owner only, and remove it at the end; first, those left behind.

    Parameters
    ----------
    parent
        Where such folders are; the system's temporary folder by default.
    """
    parent = parent if parent is not None else Path(tempfile.gettempdir())
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            _remove_if_left(folder)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=parent) as name, _opened(Path(name)) as opened:
        with contextlib.suppress(OSError):  # where there are no locks, nobody can take it for one that was left
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield Path(name)


def _remove_if_left(folder: Path) -> None:
    with _opened(folder) as opened:
        found = os.fstat(opened)
        if found.st_uid != os.geteuid() or time.time() - found.st_mtime < _YOUNG_S:
            return
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    log.info("%s was left behind by a spider that was killed, and is gone now", folder)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield opened
    finally:
        os.close(opened)
