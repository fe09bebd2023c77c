from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.extraction import extract_html
from crawlers.extraction.html import nesting
from events.messages import MAX_TEXT_CHARS

PROSE = "This sentence says a little about a harmless subject, so that there is a text. " * 6
RUSSIAN = "Эта страница рассказывает о музее и его истории, о выставках и о посетителях. " * 5


def page(body: str, head: str = "<title>A page</title>") -> bytes:
    return f"<!doctype html><html lang=fr><head>{head}</head><body>{body}</body></html>".encode()


def test_title_text_and_language_are_found() -> None:
    found = extract_html(page(f"<nav>Home About</nav><article><h1>Heading</h1><p>{PROSE}</p><p>Second.</p></article>"))
    assert found.title == "A page"
    assert found.language_hint == "fr"
    assert PROSE.strip() in found.text
    assert "Home About" not in found.text


def test_paragraphs_stay_apart() -> None:
    found = extract_html(page(f"<main><p>{PROSE}</p><p>Second one.</p><ul><li>First</li><li>Next</li></ul></main>"))
    lines = found.text.split("\n")
    assert "Second one." in lines
    assert [line.strip() for line in lines[-2:]] == ["First", "Next"]


def test_a_short_list_between_paragraphs_is_kept() -> None:
    items = "".join(f"<li>{word}</li>" for word in ("one sheet of paper", "two pens", "patience"))
    found = extract_html(page(f"<article><p>{PROSE}</p><h2>You will need</h2><ul>{items}</ul><p>{PROSE}</p></article>"))
    lines = found.text.split("\n")
    assert lines[1:5] == ["You will need", "one sheet of paper", "two pens", "patience"]


def test_a_reply_in_a_forum_is_kept() -> None:
    posts = "".join(
        f"<div class=post><div class=author>someone</div><div class=content><p>Reply {n}: {PROSE}</p></div></div>"
        for n in range(4)
    )
    found = extract_html(page(f"<div id=topic>{posts}</div>"))
    assert [n for n in range(4) if f"Reply {n}:" not in found.text] == []


def test_a_listing_keeps_all_its_entries() -> None:
    cards = "".join(
        f"<div class=card><a href=/p{n}>Item number {n}</a><span>short words</span></div>" for n in range(40)
    )
    found = extract_html(page(f"<div class=grid>{cards}</div><div class=note><p>One sentence of the shop.</p></div>"))
    assert [n for n in range(40) if f"Item number {n}" not in found.text] == []


def test_links_are_absolute_and_each_once() -> None:
    body = """<a href="/a">x</a><a href="/a#part">x</a><a href="b?q=1&amp;r=2">x</a><a href="//other.example/c">x</a>
    <a href="mailto:x@example.org">x</a><a href="javascript:void(0)">x</a><a href="pic.jpg">x</a><a href="http://[bad">x</a>
    <area href="/area"><a href=" /sp ace ">x</a>"""
    found = extract_html(page(body), url="https://example.org/dir/page")
    assert found.links == (
        "https://example.org/a",
        "https://example.org/dir/b?q=1&r=2",
        "https://other.example/c",
        "https://example.org/area",
        "https://example.org/sp ace",
    )


def test_base_next_refresh_and_sources_are_read() -> None:
    head = """<base href="https://base.example/x/"><link rel=next href=p2>
    <link rel="alternate" type="application/rss+xml" href="/feed"><link rel=sitemap href="/map.xml">
    <link rel="alternate" hreflang=es href="/es"><meta http-equiv=Refresh content="0; URL='/moved'">"""
    found = extract_html(page("<a href=y>y</a>", head), url="https://example.org/")
    assert found.links == ("https://base.example/x/y", "https://base.example/x/p2", "https://base.example/moved")
    assert found.sources == ("https://base.example/feed", "https://base.example/map.xml")


@pytest.mark.parametrize(
    ("encoding", "content_type", "meta"),
    [
        ("windows-1251", "text/html", ""),
        ("windows-1251", "text/html; charset=utf-8", ""),
        ("windows-1251", "text/html; charset=iso-8859-1", "<meta charset=windows-1251>"),
        ("koi8-r", "text/html; charset=koi8-r", ""),
        ("utf-8", "text/html; charset=windows-1251", ""),
        ("utf-16", "text/html", ""),
        ("utf-8-sig", "text/html; charset=latin1", ""),
    ],
)
def test_the_text_is_right_whatever_charset_is_claimed(encoding: str, content_type: str, meta: str) -> None:
    body = f"<html><head>{meta}<title>Музей</title></head><body><p>{RUSSIAN}</p></body></html>".encode(encoding)
    found = extract_html(body, content_type=content_type)
    assert found.title == "Музей"
    assert RUSSIAN.strip() in found.text


def test_gb18030_is_read() -> None:
    chinese = "这个网页介绍博物馆的历史和展览，欢迎大家前来参观。" * 8
    found = extract_html(f"<meta charset=gb2312><p>{chinese}</p>".encode("gb18030"))
    assert chinese in found.text
    assert found.charset == "gb18030" or found.charset == "gbk"


def test_control_characters_and_surrogates_do_not_come_through() -> None:
    found = extract_html(page(f"<title>a\x00b</title><p>x\x00y &#xD800; &#0; \x08 {PROSE}</p>", ""))
    assert not [
        char for char in found.text + found.title if (char < " " and char != "\n") or "\ud800" <= char <= "\udfff"
    ]
    found.text.encode("utf-8")


def test_a_long_text_is_cut_and_says_so() -> None:
    found = extract_html(page("<p>" + "word and another word. " * 20_000 + "</p>"))
    assert len(found.text) == MAX_TEXT_CHARS
    assert found.text_truncated


@pytest.mark.parametrize("tag", ["div", "b", "ul><li", "table><tr><td", "span"])
def test_deep_nesting_is_read_without_a_parser(tag: str) -> None:
    opening = f"<{tag}>" * 30_000
    found = extract_html(page(f"{opening}some words inside<a href=/x>there</a>"), url="https://example.org/")
    assert "some words inside" in found.text
    assert found.links == ("https://example.org/x",)


def test_closing_tags_up_front_do_not_hide_the_nesting() -> None:
    assert nesting("</div>" * 5_000 + "<div>" * 5_000) == 5_000


def test_ordinary_nesting_is_measured() -> None:
    assert nesting("<html><body><div><p>a<br><p>b<ul><li>c<li>d</ul></div></body></html>") == 4


@pytest.mark.parametrize("body", [b"", b"   ", b"\x00\x00", b"<", b"<html>", b"\xff\xfe", b"<title>", b"<!--"])
def test_a_page_without_anything_is_empty(body: bytes) -> None:
    assert extract_html(body).text.strip("<") == ""


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=2_000), st.sampled_from(["", "text/html", "text/html; charset=utf-16", "x; charset=hz", "é"]))
def test_no_bytes_make_it_raise(body: bytes, content_type: str) -> None:
    for prefix in (b"", b"<html><body><a href='", b"<meta charset=utf-7><p>", b"\xef\xbb\xbf<div>"):
        found = extract_html(prefix + body, url="https://example.org/", content_type=content_type)
        (found.text + found.title + "".join(found.links)).encode("utf-8")


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "<div>", "</div>", "<a href='/x'>", "<b>", "text ", "<table>", "<td>", "<nav>", "&amp;"]
        ),
        max_size=200,
    )
)
def test_no_order_of_tags_makes_it_raise(pieces: list[str]) -> None:
    extract_html("".join(pieces).encode(), url="https://example.org/")
