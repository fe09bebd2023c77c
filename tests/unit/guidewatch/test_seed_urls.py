from __future__ import annotations

from pathlib import Path

import pytest

from crawlers.sources import SourcesError
from guidewatch.commands.crawling import seed_urls


def test_seeds_are_urls_files_of_urls_and_sources_that_are_not_paused(tmp_path: Path) -> None:
    (tmp_path / "seeds.txt").write_text("# mine\nhttps://a.example/\nhttps://b.example/\n", encoding="utf-8")
    (tmp_path / "sources.toml").write_text(
        '[[source]]\nurl = "https://b.example/"\n[[source]]\nurl = "https://c.example/feed.xml"\n'
        '[[source]]\nurl = "https://d.example/"\npaused = true\n',
        encoding="utf-8",
    )
    given = ["https://a.example/", str(tmp_path / "seeds.txt"), str(tmp_path / "sources.toml")]
    assert seed_urls(given) == ("https://a.example/", "https://b.example/", "https://c.example/feed.xml")


def test_a_mistake_in_a_file_of_sources_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text("[[source]]\n", encoding="utf-8")
    with pytest.raises(SourcesError, match="url: it is missing"):
        seed_urls([str(path)])
