"""Folders of spiders that were killed go, and all others stay."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crawlers.distributed.folders import session_folder


def age(folder: Path) -> None:
    """Make a folder look as if nothing had been written to it for an hour."""
    os.utime(folder, (folder.stat().st_mtime - 3_600,) * 2)


@pytest.fixture
def left(tmp_path: Path) -> Path:
    folder = tmp_path / "guidewatch-spider-left"
    folder.mkdir()
    (folder / "frontier.sqlite").write_bytes(b"URLs")
    age(folder)
    return folder


def test_folder_is_for_its_owner_and_gone_in_the_end(tmp_path: Path) -> None:
    with session_folder(tmp_path) as folder:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "frontier.sqlite").write_bytes(b"URLs")
    assert not folder.exists()


def test_what_a_killed_spider_has_left_goes(tmp_path: Path, left: Path) -> None:
    with session_folder(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_folder_of_a_spider_that_works_stays(tmp_path: Path) -> None:
    with session_folder(tmp_path) as other:
        age(other)
        with session_folder(tmp_path):
            assert other.exists()


def test_folder_that_may_not_be_locked_yet_stays(tmp_path: Path, left: Path) -> None:
    os.utime(left)
    with session_folder(tmp_path):
        assert left.exists()


def test_what_is_no_folder_of_a_spider_stays(tmp_path: Path, left: Path) -> None:
    elsewhere = left.rename(tmp_path / "elsewhere")
    (tmp_path / "guidewatch-spider-link").symlink_to(elsewhere)
    (tmp_path / "guidewatch-spider-file").write_text("")
    before = set(tmp_path.iterdir())
    with session_folder(tmp_path) as folder:
        assert set(tmp_path.iterdir()) == {*before, folder}
    assert (elsewhere / "frontier.sqlite").exists()
