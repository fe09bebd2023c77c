from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.extraction import Format, extract_markdown, sniff
from crawlers.extraction.sniff import is_markdown
from crawlers.extraction.worker import Document, take_apart

README = b"""---
title: "Said in front"
tags: [one, two]
---

Some words *before* any heading.

# A bird house, in `five` steps

You **will need** [a saw](/tools/saw "Saw") and ![a picture](pic.png).

1. First
2. Second
   - with a part

| wood | nails |
| ---- | ----- |
| oak  | six   |

> Quoted by <b>someone</b> &amp; others
line two

```sh
ls -l   # as it is
```

See <https://example.org/more> and [the rest][ref].

[ref]: ../rest.md#part
"""


def test_text_has_no_marks_and_no_front_matter() -> None:
    found = extract_markdown(README, url="https://example.org/docs/readme.md")
    assert found.text.split("\n") == [
        "Some words before any heading.",
        "A bird house, in five steps",
        "You will need a saw and .",
        "First",
        "Second",
        "with a part",
        "wood nails",
        "oak six",
        "Quoted by someone & others line two",
        "ls -l # as it is",
        "See https://example.org/more and the rest.",
    ]


def test_title_is_the_first_heading() -> None:
    assert extract_markdown(README).title == "A bird house, in five steps"


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (b"---\ntitle: 'In front'\n---\nwords\n", "In front"),
        (b'+++\ntitle = "In front"\n+++\nwords\n', "In front"),
        (b"---\nnot front matter, as it never ends", "not front matter, as it never ends"),
        (b"only words\n\nmore", "only words"),
        (b"Underlined\n==========\nwords", "Underlined"),
        (b"words\n\n### Third *level*", "Third level"),
        ("\ufeff# Музей\n".encode(), "Музей"),
        ("# 博物馆\n".encode("utf-16"), "博物馆"),
        (b"", ""),
    ],
)
def test_title_without_a_heading_is_of_the_front_matter_or_the_first_line(body: bytes, title: str) -> None:
    assert extract_markdown(body, content_type="text/markdown").title == title


def test_links_are_absolute_and_have_their_words() -> None:
    found = extract_markdown(README, url="https://example.org/docs/readme.md")
    assert found.links == (
        "https://example.org/tools/saw",
        "https://example.org/more",
        "https://example.org/rest.md",
    )
    assert found.words[0].anchor == "a saw"
    assert "will need" in found.words[0].around


def test_html_inside_is_read_too() -> None:
    found = extract_markdown(
        b'<div align="center">\n<h1>Logo</h1>\n<a href="/x">there</a>\n</div>\n\nwords', url="http://a/"
    )
    assert found.title == "Logo"
    assert found.links == ("http://a/x",)
    assert found.text.split("\n") == ["Logo", "there", "words"]


def test_scripts_are_no_text() -> None:
    assert "alert" not in extract_markdown(b"words\n\n<script>alert(1)</script>\n").text


@pytest.mark.parametrize(
    ("url", "content_type", "expected"),
    [
        ("https://a/x", "text/markdown; charset=utf-8", True),
        ("https://a/x", "text/x-markdown", True),
        ("https://a/README.MD?raw=1", "text/plain; charset=utf-8", True),
        ("https://a/x.markdown", "", True),
        ("notes.md", "", True),
        ("https://a/x.txt", "text/plain", False),
        ("https://a/x?file=y.md", "text/plain", False),
        ("https://a/x.md", "text/html", False),
    ],
)
def test_markdown_is_told_by_type_or_by_the_end_of_the_path(url: str, content_type: str, expected: bool) -> None:
    assert is_markdown(url, content_type) is expected


def test_markdown_that_begins_with_html_is_no_web_page() -> None:
    body = b'<p align="center">\n  <b>A tool</b>\n</p>\n\n# Heading\n'
    assert sniff(body, "text/markdown") is Format.MARKDOWN
    assert sniff(body, "text/plain", "https://a/readme.md") is Format.MARKDOWN
    assert sniff(b"<!doctype html><title>x</title>", "text/markdown") is Format.HTML


def test_the_worker_takes_markdown_apart() -> None:
    found = take_apart(Document(False, "https://a/x.md", "text/plain", b"# T\n\n*w*", markdown=True))
    assert (found.title, found.text) == ("T", "T\nw")


@pytest.mark.parametrize(
    "body",
    [
        b"<div>" * 20_000 + b"deep words",
        b"> " * 20_000 + b"deep words",
        b"[" * 30_000,
        b"- " * 10_000,
        b"*a _b " * 5_000,
    ],
)
def test_hostile_nesting_is_read_or_left_as_it_is(body: bytes) -> None:
    assert extract_markdown(body).text


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=1_000), st.text("#*_`[]()<>!|-=>\n ab&\\~", max_size=300))
def test_no_bytes_make_it_raise(body: bytes, text: str) -> None:
    for given_ in (body, text.encode()):
        found = extract_markdown(given_, url="https://example.org/")
        (found.text + found.title + "".join(found.links)).encode("utf-8")
