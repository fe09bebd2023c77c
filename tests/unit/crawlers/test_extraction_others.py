from __future__ import annotations

import gzip

import pytest
from fpdf import FPDF
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.extraction import Format, UnreadableError, extract_pdf, extract_text, sniff
from crawlers.extraction.sources import read_source, unpack

SITEMAP = b"""<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>https://example.org/a</loc></url><url><loc> /b </loc></url><url><loc>ftp://example.org/c</loc></url></urlset>"""
INDEX = b"""<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>https://example.org/one.xml.gz</loc></sitemap></sitemapindex>"""
RSS = b"""<?xml version="1.0"?><rss version="2.0"><channel><link>https://example.org/</link>
<item><title>One</title><link>https://example.org/one</link></item><item><link>/two#x</link></item></channel></rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><link href="https://example.org/"/>
<entry><link rel="self" href="/self"/><link href="/three"/></entry>
<entry><link rel="alternate" href="/four"/></entry></feed>"""


def pdf(*texts: str, title: str = "") -> bytes:
    document = FPDF()
    document.set_title(title)
    document.set_font("helvetica", size=12)
    for text in texts:
        document.add_page()
        document.multi_cell(0, text=text)
    return bytes(document.output())


def test_a_pdf_gives_title_and_text_of_all_pages() -> None:
    found = extract_pdf(pdf("The first page of a report.", "The second page.", title="A report"))
    assert found.title == "A report"
    assert "The first page of a report." in found.text
    assert "The second page." in found.text


def test_a_pdf_without_title_takes_its_first_line() -> None:
    assert extract_pdf(pdf("Heading of it")).title == "Heading of it"


@pytest.mark.parametrize("body", [b"%PDF-1.7\nbroken", b"", pdf("Some text in it.")[:300]])
def test_a_damaged_pdf_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError, match="cannot be parsed"):
        extract_pdf(body)


def test_a_pdf_without_text_is_unreadable() -> None:
    with pytest.raises(UnreadableError, match="no text"):
        extract_pdf(pdf(" "))


def test_plain_text_takes_its_first_line_as_title() -> None:
    found = extract_text(b"\n# Minutes\r\n\r\nThe meeting   was short.\r\n")
    assert found.title == "Minutes"
    assert found.text == "# Minutes\nThe meeting was short."


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"<!DOCTYPE html><p>x", "text/html; charset=utf-8", Format.HTML),
        (b"no markup at all", "text/html", Format.HTML),
        (b"<html><p>x", "application/octet-stream", Format.HTML),
        (b"<html><p>x", "text/plain", Format.HTML),
        (b"<?xml version='1.0'?><html xmlns='x'><body>", "application/xhtml+xml", Format.HTML),
        (b"%PDF-1.4 ...", "text/html", Format.PDF),
        (b"just words", "text/plain", Format.TEXT),
        (b"# words", "text/markdown", Format.TEXT),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "text/html", Format.OTHER),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "image/png", Format.OTHER),
        (b"PK\x03\x04\0\0", "", Format.OTHER),
        (b"{}", "application/json", Format.OTHER),
        (RSS, "text/html", Format.FEED),
        (ATOM, "application/atom+xml", Format.FEED),
        (SITEMAP, "text/xml", Format.SITEMAP),
        (INDEX, "application/xml", Format.SITEMAP),
        (b"\x1f\x8b\x08", "application/x-gzip", Format.GZIP),
    ],
)
def test_the_bytes_outweigh_the_header(body: bytes, content_type: str, expected: Format) -> None:
    assert sniff(body, content_type) is expected


@pytest.mark.parametrize(
    ("body", "pages", "sitemaps"),
    [
        (SITEMAP, ("https://example.org/a", "https://example.org/b"), ()),
        (INDEX, (), ("https://example.org/one.xml.gz",)),
        (RSS, ("https://example.org/one", "https://example.org/two"), ()),
        (ATOM, ("https://example.org/three", "https://example.org/four"), ()),
        (b"<urlset><url><loc>https://example.org/a</loc></url><url><loc>https://exam", ("https://example.org/a",), ()),
        (b"", (), ()),
    ],
)
def test_sitemaps_and_feeds_name_their_pages(body: bytes, pages: tuple[str, ...], sitemaps: tuple[str, ...]) -> None:
    found = read_source(body, "https://example.org/source.xml")
    assert found.pages[: len(pages)] == pages
    assert found.sitemaps == sitemaps


def test_a_gzipped_sitemap_is_unpacked_up_to_a_limit() -> None:
    assert unpack(gzip.compress(SITEMAP), 10_000) == (SITEMAP, Format.SITEMAP)
    assert unpack(gzip.compress(SITEMAP + b" " * 1_000_000), 10_000)[1] is Format.GZIP
    assert unpack(gzip.compress(b"something else"), 10_000)[1] is Format.GZIP
    assert unpack(b"\x1f\x8bdamaged", 10_000)[1] is Format.GZIP


def test_entities_in_a_sitemap_are_not_blown_up() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
    )
    found = read_source(
        bomb + b"]><urlset><url><loc>https://example.org/&j;</loc></url></urlset>", "https://example.org/"
    )
    assert sum(len(page) for page in found.pages) < 10_000


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=500))
def test_no_bytes_make_the_others_raise(body: bytes) -> None:
    sniff(body, "")
    extract_text(body)
    read_source(b"<urlset>" + body, "https://example.org/")
    unpack(b"\x1f\x8b" + body, 1_000)
    with pytest.raises(UnreadableError):
        extract_pdf(b"%PDF-1.7\n" + body)
