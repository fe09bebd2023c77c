"""The guard in a real crawl: forbidden addresses are refused and never connected to."""

from __future__ import annotations

import socket
from collections.abc import Callable

from aiohttp.abc import ResolveResult

from crawlers.plan import CrawlPlan
from crawlers.run import RunOptions, run_crawl
from tests.integration.crawlers.sinks import ListSink
from tests.integration.crawlers.site import Answer, Site, html, moved

Start = Callable[..., Site]
Plan = Callable[..., CrawlPlan]


class FakeNames:
    """Answers every name from a table, and remembers the questions; nothing leaves the machine."""

    def __init__(self, **addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        self.asked.append(host)
        address = self.addresses.get(host.partition(".")[0])
        if address is None:
            raise OSError("no such name")
        return [ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)]


def test_links_to_other_ports_of_loopback_are_refused(start_site: Start, plan_for: Plan) -> None:
    secret = start_site({"/": html("secret"), "/robots.txt": Answer(b"")})
    site = start_site(
        {
            "/": html(
                "start", secret.url("/"), f"http://2130706433:{secret.port}/", f"http://[::1]:{secret.port}/", "/hop"
            ),
            "/hop": moved(secret.url("/admin")),
        }
    )
    sink = ListSink()
    run_crawl(plan_for(site, contact="m@example.org"), sink)
    assert {event.url: getattr(event, "reason", "page") for event in sink.events} == {
        site.url("/"): "page",
        secret.url("/"): "guard: loopback address",
        f"http://2130706433:{secret.port}/": "guard: obscure address",
        f"http://[::1]:{secret.port}/": "guard: loopback address",
        site.url("/hop"): "redirect",
        secret.url("/admin"): "guard: loopback address",
    }
    assert secret.seen == []


def test_robots_and_sitemaps_are_guarded_as_pages_are(start_site: Start, plan_for: Plan) -> None:
    secret = start_site({"/robots.txt": Answer(b""), "/map.xml": Answer(b"<urlset/>")})
    site = start_site({"/": html("start"), "/robots.txt": Answer(f"Sitemap: {secret.url('/map.xml')}".encode())})
    sly = start_site({"/": html("start"), "/robots.txt": moved(secret.url("/robots.txt"))})
    sink = ListSink()
    run_crawl(plan_for(site, sly, contact="m@example.org"), sink)
    reasons = {event.url: getattr(event, "reason", "page") for event in sink.events}
    assert reasons[secret.url("/map.xml")] == "guard: loopback address"
    assert reasons[sly.url("/")] == "guard: loopback address"
    assert reasons[site.url("/")] == "page"
    assert secret.seen == []


def test_a_name_that_points_inside_is_refused(start_site: Start, plan_for: Plan) -> None:
    site = start_site(
        {"/": html("start", "http://inside.example/", "http://metadata.example/", "http://nowhere.example/")}
    )
    names = FakeNames(inside="127.0.0.1", metadata="169.254.169.254")
    sink = ListSink()
    run_crawl(plan_for(site, contact="m@example.org"), sink, options=RunOptions(lookup=names))
    assert {event.url: getattr(event, "reason", "page") for event in sink.events} == {
        site.url("/"): "page",
        "http://inside.example/": "guard: loopback address",
        "http://metadata.example/": "guard: metadata address",
        "http://nowhere.example/": "dns",
    }


def test_an_exempt_name_is_crawled_at_the_address_that_was_checked(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/": html("start", "/a"), "/a": html("a")})
    name = f"pages.example:{site.port}"
    names = FakeNames(pages="127.0.0.1")
    sink = ListSink()
    plan = plan_for(seeds=(f"http://{name}/",), allow_private=frozenset({name}))
    run_crawl(plan, sink, options=RunOptions(lookup=names))
    assert sink.outcomes() == {"/": "page", "/a": "page"}
    assert names.asked == ["pages.example"]


def test_without_a_contact_no_public_name_is_even_looked_up(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/": html("start", "http://public.example/")})
    names = FakeNames(public="93.184.216.34")
    sink = ListSink()
    run_crawl(plan_for(site), sink, options=RunOptions(lookup=names))
    assert [event.reason for event in sink.events if hasattr(event, "reason")] == ["guard: no contact address"]
    assert names.asked == []
