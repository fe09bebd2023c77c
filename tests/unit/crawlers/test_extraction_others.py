from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest
from fpdf import FPDF
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.extraction import Format, UnreadableError, extract_pdf, extract_text, sniff
from crawlers.extraction.sources import latest, lists_urls, read_source, unpack

SITEMAP = b"""<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>https://example.org/a</loc></url><url><loc> /b </loc></url><url><loc>ftp://example.org/c</loc></url></urlset>"""
INDEX = b"""<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>https://example.org/one.xml.gz</loc></sitemap></sitemapindex>"""
RSS = b"""<?xml version="1.0"?><rss version="2.0"><channel><link>https://example.org/</link>
<item><title>One</title><link>https://example.org/one</link></item><item><link>/two#x</link></item></channel></rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><link href="https://example.org/"/>
<entry><link rel="self" href="/self"/><link href="/three"/></entry>
<entry><link rel="alternate" href="/four"/></entry></feed>"""
JSON_FEED = b"""{"version": "https://jsonfeed.org/version/1.1", "title": "News", "next_url": "/older.json", "items": [
{"id": "1", "url": "https://example.org/five", "date_modified": "2026-01-02T03:04:05Z"},
{"id": "2", "external_url": "/six"}, {"id": "3"}, 4]}"""
FULL_SITEMAP = b"""<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:xhtml="http://www.w3.org/1999/xhtml"><url><loc>https://example.org/a</loc><lastmod>2026-01-02</lastmod>
<image:image><image:loc>https://example.org/a.png</image:loc></image:image>
<news:news><news:publication_date>2025-01-01</news:publication_date><news:title>A</news:title></news:news>
<xhtml:link rel="alternate" hreflang="es" href="https://example.org/es/a"/></url></urlset>"""
RSS_1 = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<item rdf:about="https://example.org/seven"><link>https://example.org/seven</link></item></rdf:RDF>"""
PAGED = b"""<feed xmlns="http://www.w3.org/2005/Atom"><link rel="next" href="/feed?page=2"/><entry>
<link href="/eight"/><link rel="next" href="/not-a-feed"/><updated>2026-01-02T05:00:00+02:00</updated></entry></feed>"""
GUIDS = b"""<rss xmlns:atom="http://www.w3.org/2005/Atom"><channel>
<item><guid isPermaLink="true">https://example.org/nine</guid></item><item><guid>tag:example.org,1</guid></item>
<item><guid isPermaLink="false">https://example.org/no</guid></item>
<item><atom:link href="/x"/><link><![CDATA[https://example.org/ten?a=1&b=2]]></link></item></channel></rss>"""
TEXT_SITEMAP = b"\xef\xbb\xbfhttps://example.org/a\r\n\r\nhttps://example.org/b#c\n"


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
        (b"# words", "text/markdown", Format.MARKDOWN),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "text/html", Format.OTHER),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "image/png", Format.OTHER),
        (b"PK\x03\x04\0\0", "", Format.OTHER),
        (b"{}", "application/json", Format.OTHER),
        (RSS, "text/html", Format.FEED),
        (ATOM, "application/atom+xml", Format.FEED),
        (SITEMAP, "text/xml", Format.SITEMAP),
        (INDEX, "application/xml", Format.SITEMAP),
        (b"\x1f\x8b\x08", "application/x-gzip", Format.GZIP),
        (JSON_FEED, "application/json", Format.FEED),
        (b'{"items": []}', "application/feed+json", Format.FEED),
        (RSS_1, "application/xml", Format.FEED),
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
        (
            JSON_FEED,
            ("https://example.org/five", "https://example.org/six"),
            ("https://example.org/older.json",),
        ),
        (b'{"items": 3', (), ()),
        (b"[" * 100_000, (), ()),
        (b'{"a":' * 100_000, (), ()),
        (FULL_SITEMAP, ("https://example.org/a", "https://example.org/es/a"), ()),
        (RSS_1, ("https://example.org/seven",), ()),
        (PAGED, ("https://example.org/eight",), ("https://example.org/feed?page=2",)),
        (GUIDS, ("https://example.org/nine", "https://example.org/ten?a=1&b=2"), ()),
        (TEXT_SITEMAP, ("https://example.org/a", "https://example.org/b"), ()),
    ],
)
def test_sitemaps_and_feeds_name_their_pages(body: bytes, pages: tuple[str, ...], sitemaps: tuple[str, ...]) -> None:
    found = read_source(body, "https://example.org/source.xml")
    assert found.pages[: len(pages)] == pages
    assert body.endswith(b"exam") or len(found.pages) == len(pages)
    assert found.sitemaps == sitemaps


def test_a_source_says_when_its_pages_were_changed_at_the_latest() -> None:
    def modified(body: bytes) -> dict[str, datetime]:
        return dict(read_source(body, "https://example.org/source").modified)

    assert modified(JSON_FEED) == {"https://example.org/five": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}
    assert modified(PAGED) == {"https://example.org/eight": datetime(2026, 1, 2, 3, tzinfo=UTC)}
    # A day has no zone: it ends last in the zone that is farthest behind.
    assert modified(FULL_SITEMAP) == {"https://example.org/a": datetime(2026, 1, 3, 12, tzinfo=UTC)}
    assert modified(RSS) == {}


@pytest.mark.parametrize("said", ["", "yesterday", "2026", "2026-13-01", "9999-12-31"])
def test_a_date_that_says_nothing_is_none(said: str) -> None:
    assert latest(said) is None


def test_only_a_text_of_urls_is_a_sitemap() -> None:
    assert lists_urls(TEXT_SITEMAP)
    for body in (b"", b"\n", b"https://example.org/ is a site", b"A list:\nhttps://example.org/", b"\xff\xfe"):
        assert not lists_urls(body)


def test_no_more_is_taken_than_a_sitemap_may_have() -> None:
    many = b"".join(b"https://example.org/%d\n" % number for number in range(50_010))
    assert len(read_source(many, "https://example.org/").pages) == 50_000


def test_a_gzipped_sitemap_is_unpacked_up_to_a_limit() -> None:
    assert unpack(gzip.compress(SITEMAP), 10_000) == (SITEMAP, Format.SITEMAP)
    assert unpack(gzip.compress(SITEMAP + b" " * 1_000_000), 10_000)[1] is Format.GZIP
    assert unpack(gzip.compress(TEXT_SITEMAP), 10_000) == (TEXT_SITEMAP, Format.SITEMAP)
    assert unpack(gzip.compress(JSON_FEED), 10_000) == (JSON_FEED, Format.FEED)
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
    read_source(body, "https://example.org/")
    read_source(b"<feed>" + body, "https://example.org/")
    read_source(b'{"items":' + body, "https://example.org/")
    lists_urls(body)
    read_source(b"<urlset>" + body, "https://example.org/")
    unpack(b"\x1f\x8b" + body, 1_000)
    with pytest.raises(UnreadableError):
        extract_pdf(b"%PDF-1.7\n" + body)
