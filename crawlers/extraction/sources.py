"""The URLs in sitemaps (sitemaps.org 0.9, index and urlset), RSS and Atom."""

from __future__ import annotations

import zlib
from typing import NamedTuple
from urllib.parse import urljoin

from scrapy import Selector

from crawlers.extraction.charset import wide_encoding
from crawlers.extraction.links import Links
from crawlers.extraction.sniff import Format, sniff
from crawlers.limits import MAX_URL_CHARS

_MAX_URLS = 50_000


class Source(NamedTuple):
    """What a sitemap or feed names: pages, and further sitemaps; and how many URLs were left out for their length."""

    pages: tuple[str, ...]
    sitemaps: tuple[str, ...]
    too_long: int = 0


def read_source(body: bytes, url: str, content_type: str = "") -> Source:
    """Return the absolute http(s) URLs in a sitemap or feed; empty where it cannot be read."""
    text = body.decode(wide_encoding(body, content_type) or "utf-8", "replace").replace("\0", "").lstrip("\ufeff")
    try:
        document = Selector(text=text, type="xml")
        found = {
            name: _absolute(document.xpath(path).getall(), url)
            for name, path in (
                ("sitemaps", "//*[local-name()='sitemap']/*[local-name()='loc']/text()"),
                ("locations", "//*[local-name()='url']/*[local-name()='loc']/text()"),
                ("rss", "//*[local-name()='item']/*[local-name()='link']/text()"),
                ("atom", "//*[local-name()='entry']/*[local-name()='link'][not(@rel) or @rel='alternate']/@href"),
            )
        }
    except ValueError:
        return Source((), ())
    pages = dict.fromkeys(url for name in ("locations", "rss", "atom") for url in found[name].urls)
    return Source(tuple(pages)[:_MAX_URLS], found["sitemaps"].urls, sum(part.too_long for part in found.values()))


def unpack(body: bytes, max_bytes: int) -> tuple[bytes, Format]:
    """Return a gzipped sitemap unpacked with its format, or ``b""`` and GZIP where it is none, damaged or too large."""
    try:
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        unpacked = stream.decompress(body, max_bytes)
    except zlib.error:
        return b"", Format.GZIP
    kind = sniff(unpacked, "")
    if stream.unconsumed_tail or kind not in (Format.SITEMAP, Format.FEED):
        return b"", Format.GZIP
    return unpacked, kind


def _absolute(urls: list[str], base: str) -> Links:
    found: dict[str, None] = {}
    too_long = 0
    for url in urls:
        if len(url) > MAX_URL_CHARS:
            too_long += 1
            continue
        try:
            joined = urljoin(base, url.strip()).partition("#")[0]
        except ValueError:
            continue
        if len(joined) > MAX_URL_CHARS:
            too_long += 1
        elif joined.startswith(("http://", "https://")):
            found[joined] = None
    return Links(tuple(found), too_long)
