"""Hostile responses below the body: each ends in an outcome, and the page behind it is crawled."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crawlers.plan import CrawlPlan
from tests.integration.crawlers.hostile import HostileSite, Route, crawl, drip, endless, page, raw, response

StartHostile = Callable[[dict[str, Route]], HostileSite]
Plan = Callable[..., CrawlPlan]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
HTML = page("some words of a page")


def moved(*lines: str) -> Route:
    return raw(response(b"", *lines, status="302 Found"))


ATTACKS: dict[str, tuple[Route, str]] = {
    "says nothing": (lambda wire: None, "failed: connection lost"),
    "never answers": (endless(b"", b"", 0.1), "failed: timeout"),
    "drips its headers": (drip(OK + b"X: y\r\n" * 500, 0.1), "failed: timeout"),
    "half a status line": (raw(b"HTTP/1.1 20"), "failed: connection lost"),
    "http 0.9": (raw(HTML), "failed: malformed response"),
    "another protocol": (raw(b"220 mail.example ESMTP\r\n"), "failed: malformed response"),
    "ssh": (raw(b"SSH-2.0-OpenSSH_9.9\r\n"), "failed: malformed response"),
    "binary noise": (raw(bytes(range(256)) * 40), "failed: malformed response"),
    "status 99999": (raw(b"HTTP/1.1 99999 OK\r\n\r\n"), "failed: malformed response"),
    "status 999": (raw(response(HTML, status="999 No")), "failed: status 999"),
    "switches protocols": (
        raw(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
        "failed: status 101",
    ),
    "an endless header": (endless(OK + b"X: ", b"a" * 65_536), "failed: malformed response"),
    "endless headers": (endless(OK, b"X: " + b"a" * 4_000 + b"\r\n"), "failed: malformed response"),
    "endless small headers": (endless(OK, b"a:b\r\n" * 1_000), "failed: malformed response"),
    "endless informational responses": (
        endless(b"", b"HTTP/1.1 103 Early\r\n\r\n" * 100),
        "failed: connection lost",
    ),
    "informational responses drip": (endless(b"", b"HTTP/1.1 103 Early\r\n\r\n", 0.05), "failed: timeout"),
    "a cookie flood": (raw(response(HTML, *["Set-Cookie: a=" + "b" * 4_000] * 2_000)), "failed: malformed response"),
    "many cookies": (raw(response(HTML, *[f"Set-Cookie: a{n}=b" for n in range(60)])), "page"),
    "header without colon": (raw(OK + b"no colon here\r\n\r\n" + HTML), "failed: malformed response"),
    "folded header": (raw(OK + b"X: a\r\n b\r\n\r\n" + HTML), "page"),
    "zero bytes in a header": (raw(OK + b"X: a\0b\r\n\r\n" + HTML), "failed: malformed response"),
    "split response": (raw(OK + b"\r\n" + HTML + b"HTTP/1.1 200 OK\r\n\r\nsecond"), "page"),
    "not a length": (raw(OK + b"Content-Length: many\r\n\r\n" + HTML), "failed: malformed response"),
    "a negative length": (raw(OK + b"Content-Length: -5\r\n\r\n" + HTML), "failed: malformed response"),
    "two lengths": (raw(OK + b"Content-Length: 5\r\nContent-Length: 50\r\n\r\n" + HTML), "failed: malformed response"),
    "length and chunks": (
        raw(OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        "failed: malformed response",
    ),
    "a length beyond the limit": (raw(OK + b"Content-Length: 99999999999\r\n\r\nx"), "failed: too large"),
    "less than the length": (raw(OK + b"Content-Length: 5000\r\n\r\n" + HTML), "failed: connection lost"),
    "more than the length": (
        raw(OK + b"Content-Length: 12\r\n\r\n" + b"<p>the words and a lot more"),
        "failed: malformed response",
    ),
    "redirects to itself": (moved("Location: /attack"), "failed: too many redirects"),
    "redirect without target": (moved(), "failed: status 302"),
    "redirect to nothing": (moved("Location: http://"), "failed: too many redirects"),
    "redirect to a script": (moved("Location: javascript:alert(1)"), "failed: status 302"),
    "redirect to data": (moved("Location: data:text/html,<p>x"), "failed: status 302"),
    "redirect with bytes": (
        raw(b"HTTP/1.1 302 F\r\nLocation: /\xff\xfe%zz\r\nContent-Length: 0\r\n\r\n"),
        "duplicate: redirect",
    ),
    "refresh header": (raw(response(HTML, "Refresh: 0; url=http://10.0.0.1/")), "page"),
    "too busy for ever": (raw(response(b"", status="429 Too Many Requests")), "failed: status 429"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_each_ends_in_an_outcome_and_the_crawl_goes_on(start_hostile: StartHostile, plan_for: Plan, name: str) -> None:
    attack, outcome = ATTACKS[name]
    site = start_hostile({"/attack": attack})
    site.routes["/"] = raw(response(page("start", "/attack", "/behind")))
    found = crawl(plan_for(site, timeout_s=1.0, max_bytes=100_000))
    assert found[site.url("/attack")] == outcome
    assert found[site.url("/behind")] == "page"


@pytest.mark.parametrize(
    "name", ["never answers", "an endless header", "http 0.9", "redirects to itself", "binary noise"]
)
def test_a_hostile_robots_file_ends_its_own_host_only(start_hostile: StartHostile, plan_for: Plan, name: str) -> None:
    attack = ATTACKS[name][0]
    hostile, other = start_hostile({"/robots.txt": attack, "/attack": attack}), start_hostile({})
    other.routes["/"] = raw(response(page("another host")))
    found = crawl(plan_for(hostile, other, timeout_s=1.0))
    assert found[other.url("/")] == "page"
    expected = "page" if name == "redirects to itself" else ATTACKS[name][1]
    assert found[hostile.url("/")] == expected


def test_a_redirect_loop_over_two_hosts_ends_on_both(start_hostile: StartHostile, plan_for: Plan) -> None:
    one, two = start_hostile({}), start_hostile({})
    one.routes["/ping"] = moved(f"Location: {two.url('/pong')}")
    two.routes["/pong"] = moved(f"Location: {one.url('/ping')}")
    one.routes["/"] = raw(response(page("start", "/ping", two.url("/pong"), "/behind")))
    found = crawl(plan_for(one, two, seeds=(one.url(),)))
    assert found[one.url("/ping")] == found[two.url("/pong")] == "failed: too many redirects"
    assert found[one.url("/behind")] == "page"
    assert len(one.seen) + len(two.seen) < 20
