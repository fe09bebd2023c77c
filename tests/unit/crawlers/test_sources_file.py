from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.seeds import SeedsError
from crawlers.sources import SourcesError, WatchedSource, parse_sources, read_sources

URL = 'url = "https://example.org/"\n'


def problem(text: str) -> str:
    with pytest.raises(SourcesError) as caught:
        parse_sources(text)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_source_has_all_its_keys() -> None:
    text = (
        '[[source]]\nurl = " https://example.org/feed.xml#top"\nkind = "feed"\nevery = "6h"\nmax_depth = 0\n'
        'max_pages = 20\nfocus = "off"\nlabel = "News"\npaused = true\n\n[[source]]\nurl = "https://example.org/"\n'
    )
    assert parse_sources(text) == (
        WatchedSource(
            url="https://example.org/feed.xml",
            kind="feed",
            every=timedelta(hours=6),
            max_depth=0,
            max_pages=20,
            focus="off",
            label="News",
            paused=True,
        ),
        WatchedSource(url="https://example.org/"),
    )


@pytest.mark.parametrize(
    ("every", "span"),
    [("30m", timedelta(minutes=30)), ("6 h", timedelta(hours=6)), ("1d", timedelta(1)), ("2w", timedelta(14))],
)
def test_intervals_have_four_units(every: str, span: timedelta) -> None:
    assert parse_sources(f'[[source]]\n{URL}every = "{every}"\n')[0].every == span


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", 'sources.toml: no source in it; write [[source]] and under it url = "https://…"'),
        ("[[source", "sources.toml: not TOML: Expected ']]' at the end of an array declaration (at end of document)"),
        (f"[source]\n{URL}", "sources.toml: source: write [[source]], in double brackets, before each source"),
        ("source = [1]", "sources.toml: source: write [[source]], in double brackets, before each source"),
        (URL, "sources.toml: url: unknown key; sources stand under [[source]]"),
        ('[[source]]\nlabel = "News"', "sources.toml: source 1 (News): url: it is missing"),
        (
            f'[[source]]\n{URL}evry = "1d"',
            "sources.toml: source 1 (https://example.org/): evry: unknown key; there are "
            "url, kind, every, max_depth, max_pages, focus, label, paused",
        ),
        (
            f'[[source]]\n{URL}every = "soon"',
            "sources.toml: source 1 (https://example.org/): every: 'soon' is no interval; write 30m, 6h, 1d or 2w",
        ),
        (f'[[source]]\n{URL}every = "0h"', "every: '0h' is no interval"),
        (f"[[source]]\n{URL}every = 6", "every: Expected `str`, got `int`"),
        (f'[[source]]\n{URL}kind = "blog"', 'kind: Invalid enum value \'blog\'; write "page", "sitemap" or "feed"'),
        (f'[[source]]\n{URL}focus = "on"', 'focus: Invalid enum value \'on\'; write "off", "soft" or "hard"'),
        (f"[[source]]\n{URL}max_pages = 0", "max_pages: Expected `int` >= 1"),
        (f"[[source]]\n{URL}max_depth = 1.5", "max_depth: Expected `int | null`, got `float`"),
        (f'[[source]]\n{URL}paused = "yes"', "paused: Expected `bool`, got `str`"),
        ('[[source]]\nurl = "example.org"', "source 1 (example.org): url: not an http(s) URL: 'example.org'"),
        (f"[[source]]\n{URL}[[source]]\n{URL}", "source 2 (https://example.org/): url: it stands there twice"),
    ],
)
def test_a_mistake_is_told_with_file_source_and_key(text: str, said: str) -> None:
    assert said in problem(text)


def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SeedsError, match="cannot be read"):
        read_sources(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SeedsError, match="not a text file"):
        read_sources(tmp_path / "binary.toml")


@given(st.text(max_size=200))
def test_no_text_gives_anything_but_a_mistake_in_one_line(text: str) -> None:
    try:
        parse_sources(f'[[source]]\n{URL}label = """\n{text}"""\n')
    except SourcesError as error:
        assert len(str(error).splitlines()) <= 1
