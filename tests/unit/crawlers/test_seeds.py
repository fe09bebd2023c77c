from __future__ import annotations

from pathlib import Path

import pytest

from crawlers.seeds import SeedsError, parse_seeds, read_seeds


def test_comments_blank_lines_and_repetitions_are_left_out() -> None:
    text = "# ours\n\nhttps://example.org/a\n  http://example.net:8080/  \nhttps://example.org/a\n"
    assert parse_seeds(text) == ("https://example.org/a", "http://example.net:8080/")


def test_a_fragment_is_cut_off() -> None:
    assert parse_seeds("https://example.org/a#part") == ("https://example.org/a",)


@pytest.mark.parametrize(
    "line", ["example.org", "ftp://example.org/", "http://", "https://exa mple.org/", "http://[::1"]
)
def test_a_malformed_line_is_named_by_its_number(line: str) -> None:
    with pytest.raises(SeedsError, match=r"^list\.txt:3: not an http\(s\) URL"):
        parse_seeds(f"# c\nhttps://example.org/\n{line}\n", name="list.txt")


def test_a_bare_host_is_told_what_it_lacks() -> None:
    with pytest.raises(SeedsError, match="needs http"):
        parse_seeds("example.org")


@pytest.mark.parametrize("text", ["", "\n\n", "# only words\n"])
def test_a_list_without_urls_is_refused(text: str) -> None:
    with pytest.raises(SeedsError, match="no URL"):
        parse_seeds(text)


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\x00\xff", b"https://example.org/\x00\n"])
def test_a_file_that_is_not_text_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "seeds.txt"
    path.write_bytes(data)
    with pytest.raises(SeedsError, match="not a text file"):
        read_seeds(path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "seeds.txt"
    path.write_bytes(b"\xef\xbb\xbfhttps://example.org/\r\n")
    assert read_seeds(path) == ("https://example.org/",)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SeedsError, match="cannot be read") as caught:
        read_seeds(tmp_path / "none.txt")
    assert "\n" not in str(caught.value)
