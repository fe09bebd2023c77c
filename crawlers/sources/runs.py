"""The last crawl of each source, kept in the data folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from crawlers.sources.file import SourcesError


class SourceRun(msgspec.Struct, frozen=True, kw_only=True):
    """A crawl of a source. Times are aware UTC. Where ``finished`` is false, it was cut off and is taken up again."""

    url: str
    crawl_id: str
    started_at: datetime
    ended_at: datetime | None = None
    finished: bool = False
    because: str = ""
    pages: int = 0
    not_due: int = 0


class RunBook:
    """The runs of a data folder, in one JSON file that is never half written.

    Parameters
    ----------
    path
        The file; it need not be there.

    Raises
    ------
    SourcesError
        It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._runs = msgspec.json.decode(path.read_bytes(), type=dict[str, SourceRun]) if path.exists() else {}
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise SourcesError(
                f"{path} cannot be read ({' '.join(str(error).split())}): move it away, and every source is due"
            ) from error

    @property
    def runs(self) -> Mapping[str, SourceRun]:
        """The last run of each source, by the key of the source."""
        return self._runs

    def note(self, key: str, run: SourceRun) -> None:
        """Remember the last run of a source; durable on return."""
        self._runs = {**self._runs, key: run}
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(self._runs))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
