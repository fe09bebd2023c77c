"""Hostile bodies: each ends in an outcome, and the page behind it is crawled."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable

import brotli
import pytest
from backports import zstd

from crawlers.plan import CrawlPlan
from tests.integration.crawlers.hostile import HostileSite, Route, crawl, drip, endless, page, raw, response

StartHostile = Callable[[dict[str, Route]], HostileSite]
Plan = Callable[..., CrawlPlan]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HTML = page("some words of a page")
BOMB = b"<p>" + b"x" * 30_000_000
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(64)


def packed(body: bytes, encoding: str, kind: str = "text/html") -> Route:
    return raw(response(body, f"Content-Encoding: {encoding}", f"Content-Type: {kind}"))


def typed(body: bytes, kind: str) -> Route:
    return raw(response(body, f"Content-Type: {kind}"))


def stacked(body: bytes, times: int) -> bytes:
    for _ in range(times):
        body = gzip.compress(body)
    return body


ATTACKS: dict[str, tuple[Route, str]] = {
    "drips one byte a time": (drip(OK + b"\r\n" + HTML * 10, 0.1), "failed: timeout"),
    "drips in chunks": (endless(CHUNKED, b"1\r\nx\r\n", 0.1), "failed: timeout"),
    "endless body": (endless(OK + b"\r\n", b"x" * 65_536), "failed: too large"),
    "endless chunks": (endless(CHUNKED, b"8000\r\n" + b"x" * 0x8000 + b"\r\n"), "failed: too large"),
    "endless chunk extension": (endless(CHUNKED + b"5;", b"x" * 65_536), "failed: timeout"),
    "endless trailers": (
        endless(CHUNKED + b"5\r\nhello\r\n0\r\n", b"a: b\r\n" * 1_000),
        "failed: malformed response | failed: connection lost",
    ),
    "a chunk of no size": (raw(CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n"), "failed: malformed response"),
    "a chunk larger than memory": (raw(CHUNKED + b"fffffffffffffffff\r\nhello"), "failed: malformed response"),
    "a negative chunk": (raw(CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n"), "failed: malformed response"),
    "endless chunks of one byte": (endless(CHUNKED, b"1\r\nx\r\n" * 10_000), "failed: too large | failed: timeout"),
    "ends within a chunk": (raw(CHUNKED + b"100\r\nhello"), "failed: connection lost"),
    "ends without a last chunk": (raw(CHUNKED + b"5\r\nhello\r\n"), "failed: connection lost"),
    "gzip bomb": (packed(gzip.compress(BOMB), "gzip"), "failed: too large"),
    "deflate bomb": (packed(zlib.compress(BOMB), "deflate"), "failed: too large"),
    "brotli bomb": (packed(brotli.compress(BOMB, quality=1), "br"), "failed: too large"),
    "zstd bomb": (packed(zstd.compress(BOMB), "zstd"), "failed: too large"),
    "bomb in a bomb": (packed(stacked(BOMB, 2), "gzip, gzip"), "failed: too large"),
    "a hundred layers": (packed(stacked(HTML, 100), ", ".join(["gzip"] * 100)), "failed: content encoding"),
    "a thousand layers named": (packed(HTML, ", ".join(["gzip"] * 1_000)), "failed: content encoding"),
    "three layers": (packed(stacked(HTML, 3), "gzip, gzip, gzip"), "page"),
    "gzip that is none": (packed(HTML, "gzip"), "failed: content encoding"),
    "brotli that is none": (packed(HTML, "br"), "failed: content encoding"),
    "zstd that is none": (packed(HTML, "zstd"), "failed: content encoding"),
    "deflate that is none": (packed(HTML, "deflate"), "failed: content encoding"),
    "an encoding nobody knows": (packed(HTML, "x-nobody"), "page"),
    "gzip that breaks off": (
        packed(gzip.compress(page("words " * 5_000, "/a") + random.Random(7).randbytes(50_000))[:30_000], "gzip"),
        "page",
    ),
    "gzip without a name": (typed(gzip.compress(BOMB), "application/gzip"), "unsupported: empty"),
    "an image as html": (typed(PNG, "text/html"), "unsupported: media type text/html"),
    "html as an image": (typed(HTML, "image/png"), "unsupported: media type image/png"),
    "html as pdf": (typed(b"<!doctype html>" + HTML, "application/pdf"), "page"),
    "pdf as html": (typed(b"%PDF-1.7\nnothing of it", "text/html"), "unsupported: pdf cannot be parsed"),
    "html as bytes": (typed(HTML, "application/octet-stream"), "page"),
    "a program as html": (typed(b"MZ\x90\0\3\0\0\0" + bytes(4_000), "text/html"), "unsupported: media type text/html"),
    "a zip as html": (typed(b"PK\3\4" + bytes(500), "text/html"), "unsupported: media type text/html"),
    "a type without end": (typed(HTML, "text/" + "x" * 8_000), "page"),
    "no type": (raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + HTML), "page"),
    "unknown charset": (typed(HTML, "text/html; charset=x-nobody"), "page"),
    "charset that is code": (typed(HTML, "text/html; charset=../../etc/passwd"), "page"),
    "a codec that is no charset": (typed(HTML, "text/html; charset=zlib_codec"), "page"),
    "utf-7": (typed(HTML, "text/html; charset=utf-7"), "page"),
    "utf-16 that is none": (typed(HTML, "text/html; charset=utf-16"), "page"),
    "utf-8 that is none": (typed(page("caf\u00e9 ").replace(b"\xc3\xa9", b"\xe9"), "text/html; charset=utf-8"), "page"),
    "half a surrogate": (typed(b"\xff\xfe" + b"\x00\xd8" * 500, "text/html"), "unsupported: media type text/html"),
    "nothing but zeros": (typed(bytes(20_000), "text/html"), "unsupported: media type text/html"),
    "entities in a sitemap": (
        typed(
            b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
            + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
            + b"]><urlset><url><loc>https://x.example/&j;</loc></url></urlset>",
            "text/xml",
        ),
        "unsupported: sitemap",
    ),
    "a file in a sitemap": (
        typed(b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset><loc>&a;</loc></urlset>', "text/xml"),
        "unsupported: sitemap",
    ),
}

MARKUP: dict[str, tuple[bytes, str]] = {
    "nested for ever": (b"<div>" * 300_000 + b"words", "page"),
    "nested tables": (b"<table><tr><td>" * 900 + b"words", "page"),
    "a gigantic attribute": (b"<p title='" + b"x" * 2_500_000 + b"'>words", "page"),
    "more attributes than time": (
        b"<p " + b" ".join(b"a%d=1" % n for n in range(250_000)) + b">words",
        "failed: html takes too long",
    ),
    "more nodes than memory": (
        b"<p>" + b"".join(b"<font a=%d>" % n for n in range(900)) + b"</p>" + b"<p>x" * 200_000,
        "failed: html takes too much memory",
    ),
    "tags that never close": (b"<a<a" * 100_000 + b" words", "page"),
    "comments that never close": (b"words" + b"<!--" * 300_000, "page"),
    "quotes that never close": (b"<p>words</p>" + b"<a href='" * 100_000, "page"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_each_ends_in_an_outcome_and_the_crawl_goes_on(start_hostile: StartHostile, plan_for: Plan, name: str) -> None:
    attack, outcome = ATTACKS[name]
    site = start_hostile({"/attack": attack})
    site.routes["/"] = raw(response(page("start", "/attack", "/behind")))
    found = crawl(plan_for(site, timeout_s=1.0, max_bytes=200_000, max_depth=1))
    assert found[site.url("/attack")] in outcome.split(" | ")
    assert found[site.url("/behind")] == "page"


@pytest.mark.parametrize("name", MARKUP)
def test_hostile_markup_ends_in_an_outcome_and_the_crawl_goes_on(
    start_hostile: StartHostile, plan_for: Plan, name: str
) -> None:
    body, outcome = MARKUP[name]
    site = start_hostile({"/attack": typed(body, "text/html")})
    site.routes["/"] = raw(response(page("start", "/attack", "/behind")))
    found = crawl(plan_for(site, timeout_s=20.0, max_depth=1))
    assert found[site.url("/attack")] == outcome
    assert found[site.url("/behind")] == "page"
