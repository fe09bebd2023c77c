"""The data folder of an embedded installation: made, kept from others, and checked before anything slow begins."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from guidewatch.errors import UserMistakeError

STORE_FILE = "guidewatch.sqlite"
DEAD_LETTERS_FILE = "dead-letters.jsonl"
_PRIVATE_FILES = (f"{STORE_FILE}*", DEAD_LETTERS_FILE, "review.token", "review.secret")
_PRIVATE_FOLDERS = ("crawl", "warc", "vault")
_OURS = (*_PRIVATE_FILES, *_PRIVATE_FOLDERS, "feeds")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def opened(folder: Path) -> Path:
    """Return the data folder, made if need be, for its owner alone.

    Raises
    ------
    UserMistakeError
        It is a file, or cannot be made or written to.
    """
    made(folder, "choose another --data folder", mode=0o700)
    close_to_others(folder)
    return folder


def made(folder: Path, advice: str, *, mode: int = 0o777) -> Path:
    """Return ``folder``, made if need be, after a file has been written to it and taken away again.

    Parameters
    ----------
    advice
        What to do instead, for the message.
    mode
        Of the folder if it is made here, less the umask.

    Raises
    ------
    UserMistakeError
        It is a file, or cannot be made or written to.
    """
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix=".write-test-"):
            pass
    except (FileExistsError, NotADirectoryError) as error:
        raise UserMistakeError(f"{folder} is a file, not a folder: {advice}") from error
    except OSError as error:
        raise UserMistakeError(f"{folder} cannot be written to ({error.strerror}): {advice}") from error
    return folder


def is_writable(folder: Path) -> bool:
    """Return whether the store in the folder can be changed."""
    effective = os.access in os.supports_effective_ids
    return all(os.access(path, os.W_OK, effective_ids=effective) for path in (folder, folder / STORE_FILE))


def check_unused(folder: Path) -> None:
    """Raise at once what a crawl would raise later, once the model is loaded or the broker is found.

    Raises
    ------
    crawlers.run.DataFolderError
        Another crawl uses the folder, or its frontier cannot be read.
    """
    from crawlers.frontier import Frontier, FrontierError
    from crawlers.run import DataFolderError

    try:
        Frontier(folder / "crawl" / "frontier.sqlite").close()
    except FrontierError as error:
        raise DataFolderError(str(error)) from error


def close_to_others(folder: Path) -> None:
    """Take the rights of group and others from the data folder and what guidewatch keeps in it, where it is ours.

    Earlier versions left some of it readable; what is in ``crawl`` and ``warc`` lies one level deep. A folder that all
    may write to and only owners take from, such as ``/tmp``, stays as it is. One that has something else in it, such as
    a home, stays as readable as it is, but no others may write to it.
    """
    if not folder.stat().st_mode & stat.S_ISVTX:
        _narrow(folder.resolve(), 0o700 if _is_ours_alone(folder) else 0o755)
    for path in _private(folder):
        _narrow(path)


def _is_ours_alone(folder: Path) -> bool:
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return False
    return all(any(fnmatchcase(name, pattern) for pattern in _OURS) for name in names)


def _private(folder: Path) -> Iterator[Path]:
    for pattern in _PRIVATE_FILES:
        yield from folder.glob(pattern)
    for name in _PRIVATE_FOLDERS:
        inner = folder / name
        if inner.is_dir() and not inner.is_symlink():
            yield inner
            yield from (path for path in inner.iterdir() if path.is_file())


def _narrow(path: Path, folder_mode: int = 0o700) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid() or not found.st_mode & _OTHERS:
        return
    mode = folder_mode if stat.S_ISDIR(found.st_mode) else 0o600
    with suppress(OSError):
        path.chmod(stat.S_IMODE(found.st_mode) & mode)
