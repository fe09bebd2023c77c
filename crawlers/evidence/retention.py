"""Which WARC files are old enough to go."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class OldFiles:
    """Files to remove, their bytes in all, and how many more are as old but in use."""

    paths: tuple[Path, ...]
    bytes: int
    in_use: int


def old_files(folder: Path, before: datetime) -> OldFiles:
    """Return the WARC files that were last written before a time and that no crawl has open.

    Parameters
    ----------
    folder
        Where the crawls write; files in it count, folders and links in it do not.
    before
        Aware UTC.

    Raises
    ------
    OSError
        The folder cannot be read.
    """
    old = [
        path
        for path in sorted(folder.glob("*.warc.gz"))
        if path.is_file() and not path.is_symlink() and path.stat().st_mtime < before.timestamp()
    ]
    idle = [path for path in old if not _in_use(path)]
    return OldFiles(paths=tuple(idle), bytes=sum(path.stat().st_size for path in idle), in_use=len(old) - len(idle))


def _in_use(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
