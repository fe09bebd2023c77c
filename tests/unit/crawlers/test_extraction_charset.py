from __future__ import annotations

import asyncio
import codecs
from datetime import UTC, datetime

import pytest

from crawlers.endings import Fetched
from crawlers.extraction import Format, sniff
from crawlers.frontier import Kind, Row
from crawlers.reading import Reader
from events import PageFound, page_id

URL = "https://example.org/"
WORDS = {
    "en": "A page about the garden of a museum, and when it is open.",
    "ru": "Страница о саде музея и о часах его работы.",
    "ar": "صفحة عن حديقة المتحف وأوقات فتحها للزوار.",
    "zh": "这是关于博物馆花园及其开放时间的网页。",
}
MARKS = {
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


def page_of(body: bytes, content_type: str) -> PageFound:
    row = Row(1, page_id(URL), URL, "example.org", 0, None, Kind.PAGE)
    fetched = Fetched(
        url=URL,
        status=200,
        content_type=content_type,
        content_language="",
        body=body,
        at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    event = asyncio.run(Reader("crawl", max_bytes=1_000_000, max_depth=2).read(row, fetched)).event
    assert isinstance(event, PageFound), event
    return event


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("name", MARKS)
@pytest.mark.parametrize("content_type", ["text/html", "", "text/html; charset=utf-8", "text/html; charset=iso-8859-1"])
def test_html_with_a_byte_order_mark_is_read(language: str, name: str, content_type: str) -> None:
    text = WORDS[language]
    markup = f"<!DOCTYPE html><html><head><meta charset=utf-16><title>T</title></head><body><p>{text}</p></body></html>"
    page = page_of(MARKS[name] + markup.encode(name), content_type)
    assert (page.title, page.text, page.charset, page.media_type) == ("T", text, name, "text/html")


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("name", MARKS)
@pytest.mark.parametrize("content_type", ["text/plain", ""])
def test_text_with_a_byte_order_mark_is_read(language: str, name: str, content_type: str) -> None:
    page = page_of(MARKS[name] + WORDS[language].encode(name), content_type)
    assert (page.text, page.charset, page.media_type) == (WORDS[language], name, "text/plain")


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("utf-16-le", "utf-16le"),
        ("utf-16-be", "UTF-16BE"),
        ("utf-16-le", "utf-16"),
        ("utf-16-be", '"utf-16"'),
        ("utf-16-le", "ucs-2"),
        ("utf-32-le", "utf-32"),
        ("utf-32-be", "utf-32be"),
    ],
)
def test_what_the_header_declares_is_read_without_a_mark(language: str, name: str, said: str) -> None:
    markup = f"<html><head><title>T</title></head><body><p>{WORDS[language]}</p></body></html>"
    page = page_of(markup.encode(name), f"text/html; charset={said}")
    assert (page.title, page.text, page.charset) == ("T", WORDS[language], name)
    page = page_of(f"{WORDS[language]}\n{WORDS[language]}".encode(name), f"text/plain; charset={said}")
    assert (page.text, page.charset) == (f"{WORDS[language]}\n{WORDS[language]}", name)


@pytest.mark.parametrize("language", WORDS)
def test_a_header_that_says_utf_16_of_utf_8_is_not_believed(language: str) -> None:
    body = f"<html><body><p>{WORDS[language] * 60}</p></body></html>".encode()
    assert page_of(body, "text/html; charset=utf-16").text == WORDS[language] * 60


def test_two_bytes_that_look_like_a_mark_make_no_text_of_what_is_none() -> None:
    assert sniff(b"\x89PNG\r\n\0\0" * 9, "text/html; charset=utf-16") is not Format.FEED
    assert sniff(codecs.BOM_UTF16_LE + b"\0" * 400, "text/plain") is Format.OTHER


def test_a_sitemap_in_utf_16_leads_to_its_pages() -> None:
    from crawlers.extraction.sources import read_source

    markup = '<?xml version="1.0" encoding="utf-16"?><urlset><url><loc>https://example.org/a</loc></url></urlset>'
    body = codecs.BOM_UTF16_LE + markup.encode("utf-16-le")
    assert sniff(body, "application/xml") is Format.SITEMAP
    assert read_source(body, URL).pages == ("https://example.org/a",)
