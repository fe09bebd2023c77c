from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from crawlers.evidence.retention import old_files
from tests.unit.crawlers.test_evidence_warc import AT, exchange, files


def aged(path: Path, days: float) -> Path:
    path.write_bytes(b"x" * 10)
    when = (AT - timedelta(days=days)).timestamp()
    os.utime(path, (when, when))
    return path


def before(days: float) -> datetime:
    return AT - timedelta(days=days)


def test_whole_files_that_are_older_go_and_others_stay(tmp_path: Path) -> None:
    old = [aged(tmp_path / f"{name}.warc.gz", 31) for name in "ab"]
    aged(tmp_path / "young.warc.gz", 29)
    aged(tmp_path / "notes.txt", 99)
    (tmp_path / "inner.warc.gz").mkdir()
    (tmp_path / "link.warc.gz").symlink_to(aged(tmp_path / "elsewhere", 99))
    found = old_files(tmp_path, before(30))
    assert (list(found.paths), found.bytes, found.in_use) == (old, 20, 0)


def test_a_file_that_a_crawl_has_open_stays_however_old(tmp_path: Path) -> None:
    warc = files(tmp_path, max_bytes=1)
    names = [warc.write(exchange()).warc for _ in range(2)]
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    found = old_files(tmp_path, before(1))
    assert ([path.name for path in found.paths], found.in_use) == ([names[0]], 1)
    sync = warc.begin_sync()
    warc.close()
    assert old_files(tmp_path, before(1)).in_use == 1
    sync()
    assert len(old_files(tmp_path, before(1)).paths) == 2


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_a_folder_with_nothing_in_it_or_none_at_all_has_nothing_old(tmp_path: Path, name: str) -> None:
    assert old_files(tmp_path / name, before(0)).paths == ()
