"""Hostile addresses: whatever a page, a redirect or a name server says, no connection to a forbidden address is tried.

Names come from a table, and where sockets are opened stands a recorder: nothing leaves loopback even where the guard
is broken, and the last test breaks it to show that this would be seen.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crawlers.guard import AddressPolicy
from crawlers.guard.off_limits import parse_off_limits
from crawlers.plan import CrawlPlan
from tests.integration.crawlers.hostile import FakeNames, HostileSite, Route, crawl, page, raw, record, response

StartHostile = Callable[[dict[str, Route]], HostileSite]
Plan = Callable[..., CrawlPlan]

FORBIDDEN = {
    "http://127.0.0.1/": "loopback address",
    "http://127.8.9.10:8080/": "loopback address",
    "http://0.0.0.0/": "unspecified address",
    "http://10.1.2.3/": "private address",
    "http://172.16.0.1/": "private address",
    "http://192.168.1.1/": "private address",
    "http://192.0.2.1/": "private address",
    "http://198.18.0.1/": "private address",
    "http://100.64.0.1/": "shared address",
    "http://169.254.1.1/": "link-local address",
    "http://169.254.169.254/latest/meta-data/": "metadata address",
    "http://100.100.100.200/": "metadata address",
    "http://168.63.129.16/": "metadata address",
    "http://224.0.0.1/": "multicast address",
    "http://255.255.255.255/": "reserved address",
    "http://240.0.0.1/": "reserved address",
    "http://[::1]/": "loopback address",
    "http://[::]/": "unspecified address",
    "http://[fd00::1]/": "private address",
    "http://[fd00:ec2::254]/": "metadata address",
    "http://[fe80::1]/": "link-local address",
    "http://[fec0::1]/": "private address",
    "http://[ff02::1]/": "multicast address",
    "http://[::ffff:127.0.0.1]/": "loopback address",
    "http://[::ffff:a9fe:a9fe]/": "metadata address",
    "http://[::127.0.0.1]/": "loopback address",
    "http://[::ffff:0:10.0.0.1]/": "private address",
    "http://[2002:7f00:1::]/": "loopback address",
    "http://[64:ff9b::10.0.0.1]/": "private address",
    "http://[64:ff9b:1::1]/": "private address",
    "http://[2001:0:808:808:0:0:f5ff:fffe]/": "private address",
    "http://2130706433/": "obscure address",
    "http://0x7f000001/": "obscure address",
    "http://0x7f.1/": "obscure address",
    "http://0177.0.0.1/": "obscure address",
    "http://017700000001/": "obscure address",
    "http://127.1/": "obscure address",
    "http://10.0.0.1./": "obscure address",
    "http://public.example@127.0.0.1/": "loopback address",
    "http://public.example:80@10.0.0.1/": "private address",
    "http://public.example:22/": "port",
    "http://public.example:6379/": "port",
    "http://public.example:9200/": "port",
    "http://93.184.216.34:25/": "port",
    "https://[2606:2800:220:1::1]:11211/": "port",
    "http://loopback.example/": "loopback address",
    "http://private.example:8080/": "private address",
    "http://shared.example/": "shared address",
    "http://metadata.example/": "metadata address",
    "http://mapped.example/": "loopback address",
    "http://sixtofour.example/": "private address",
    "http://nat64.example/": "metadata address",
    "http://zone.example/": "link-local address",
    "http://several.example/": "private address",
}
IN_DISGUISE = [
    "http://127。0。0。1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://%31%32%37.0.0.1/",
    "http://127.0.0.1\\@public.example/",
    "http://public.example\\@127.0.0.1/",
    "http://public.example#@127.0.0.1:1/",
    "http://[::1%25lo]/",
    "http://127.0.0.1%2F@public.example/",
    "http://127.0.0.1:65536/",
    "http://127.0.0.1:-1/",
    "http:/127.0.0.1/",
    "http:///127.0.0.1/",
    "//localhost./",
    "http://LOCALHOST/",
    "http://127.0.0.1\t:80/",
    "http://0/",
    "http://[0:0:0:0:0:ffff:7f00:0001]/",
    "ftp://127.0.0.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_x",
    "dict://127.0.0.1:11211/stats",
]


def names() -> FakeNames:
    return FakeNames(
        loopback=[["127.0.0.1"]],
        localhost=[["127.0.0.1"]],
        private=[["10.9.8.7"]],
        shared=[["100.64.1.1"]],
        metadata=[["169.254.169.254"]],
        mapped=[["::ffff:127.0.0.1"]],
        sixtofour=[["2002:a00:1::1"]],
        nat64=[["64:ff9b::a9fe:a9fe"]],
        zone=[["fe80::1%1"]],
        several=[["93.184.216.34", "192.168.0.1"]],
        public=[["93.184.216.34"]],
        rebinding=[["93.184.216.34"], ["127.0.0.1"]],
    )


def test_forbidden_links_end_as_refused_and_are_never_connected_to(
    start_hostile: StartHostile, plan_for: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = start_hostile({})
    site.routes["/"] = raw(response(page("start", *FORBIDDEN, "/behind")))
    recorder = record(monkeypatch, site)
    found = crawl(plan_for(site, contact="m@example.org"), names())
    assert found.pop(site.url("/")) == found.pop(site.url("/behind")) == "page"
    bare = {url.replace("public.example@", "").replace("public.example:80@", ""): why for url, why in FORBIDDEN.items()}
    assert found == {url: f"refused: guard: {why}" for url, why in bare.items()}
    assert recorder.strangers == []


def test_forbidden_redirects_end_as_refused_and_are_never_connected_to(
    start_hostile: StartHostile, plan_for: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = start_hostile({})
    hops = {f"/hop{number}": url for number, url in enumerate(FORBIDDEN)}
    for path, url in hops.items():
        site.routes[path] = raw(response(b"", f"Location: {url}", status="302 Found"))
    site.routes["/"] = raw(response(page("start", *hops, "/behind")))
    recorder = record(monkeypatch, site)
    found = crawl(plan_for(site, contact="m@example.org"), names())
    assert {found[site.url(path)] for path in hops} == {"duplicate: redirect"}
    reasons = {outcome.removeprefix("refused: guard: ") for outcome in found.values() if outcome.startswith("refused")}
    assert reasons == set(FORBIDDEN.values())
    assert found[site.url("/behind")] == "page"
    assert recorder.strangers == []


def test_disguised_addresses_are_seen_through_as_links_and_as_redirects(
    start_hostile: StartHostile, plan_for: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = start_hostile({})
    hops = {f"/hop{number}": url for number, url in enumerate(IN_DISGUISE)}
    for path, url in hops.items():
        head = f"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        site.routes[path] = raw(head.encode())
    site.routes["/"] = raw(response(page("start", *IN_DISGUISE, *hops, "/behind")))
    recorder = record(monkeypatch, site)
    found = crawl(plan_for(site, contact="m@example.org"), names())
    assert set(hops) <= {url.removeprefix(site.url("")) for url in found}
    assert found[site.url("/behind")] == "page"
    assert [address for address in recorder.strangers if address[0] != "93.184.216.34"] == []
    own = (site.url("/"), "http://public.example/")
    strange = {url: outcome for url, outcome in found.items() if not url.startswith(own)}
    assert strange
    assert not {url: outcome for url, outcome in strange.items() if not outcome.startswith(("refused: ", "failed: "))}


@pytest.mark.parametrize("answer", ["robots", "sitemap", "refresh", "base", "robots redirect"])
def test_no_way_around_the_page_reaches_a_forbidden_address(
    start_hostile: StartHostile, plan_for: Plan, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    site = start_hostile({})
    inside = "http://10.0.0.1/secret"
    plain = "Content-Type: text/plain"
    site.routes["/robots.txt"] = raw(response(f"Sitemap: {inside}\nSitemap: {site.url('/map.xml')}".encode(), plain))
    if answer == "robots redirect":
        site.routes["/robots.txt"] = raw(response(b"", f"Location: {inside}", status="301 Moved"))
    site.routes["/map.xml"] = raw(response(f"<urlset><url><loc>{inside}</loc></url></urlset>".encode()))
    head = {"refresh": f'<meta http-equiv=refresh content="0;url={inside}">', "base": f'<base href="{inside}">'}
    site.routes["/"] = raw(response(head.get(answer, "").encode() + page("start", "secret")))
    recorder = record(monkeypatch, site)
    found = crawl(plan_for(site, contact="m@example.org"))
    assert "refused: guard: private address" in found.values()
    assert recorder.strangers == []


def test_a_name_that_changes_its_mind_is_checked_each_time(
    start_hostile: StartHostile, plan_for: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = start_hostile({})
    site.routes["/"] = raw(response(page("start", "http://rebinding.example/a", "http://rebinding.example:8080/b")))
    recorder = record(monkeypatch, site)
    found = crawl(plan_for(site, contact="m@example.org"), names())
    outcomes = sorted(found[url] for url in found if "rebinding" in url)
    assert outcomes == ["failed: connection failed", "refused: guard: loopback address"]
    assert {address for address, _ in recorder.strangers} == {"93.184.216.34"}


def test_user_info_is_never_sent(start_hostile: StartHostile, plan_for: Plan) -> None:
    site = start_hostile({})
    site.routes["/"] = raw(response(page("start", f"http://user:secret@{site.key}/link", "/hop")))
    site.routes["/hop"] = raw(response(b"", f"Location: http://user:secret@{site.key}/target", status="302 Found"))
    found = crawl(plan_for(site))
    assert {found[site.url(path)] for path in ("/", "/link", "/target")} == {"page"}
    assert not [request for request in site.seen if b"authorization" in request.head.lower()]


def test_ports_of_public_addresses_can_be_chosen(
    start_hostile: StartHostile, plan_for: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = start_hostile({})
    urls = ["http://public.example:8888/", "http://public.example/", "http://public.example:8443/"]
    site.routes["/"] = raw(response(page("start", *urls)))
    recorder = record(monkeypatch, site)
    found = crawl(plan_for(site, contact="m@example.org", ports=frozenset({8888})), names())
    assert [found[url] for url in urls] == ["failed: connection failed", *["refused: guard: port"] * 2]
    assert set(recorder.strangers) == {("93.184.216.34", 8888)}


def test_what_is_off_limits_is_not_asked_by_link_redirect_or_sitemap(
    start_hostile: StartHostile, plan_for: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, other = start_hostile({}), start_hostile({})
    refused = ["/private/a", "/PRIVATE/../private/b", "/priv%61te/c", "http://www.never.example/", other.url("/")]
    listed = f"<urlset><url><loc>{site.url('/private/d')}</loc></url></urlset>".encode()
    site.routes.update(
        {
            "/": raw(response(page("start", *refused, "/hop", "/open"))),
            "/hop": raw(response(b"", "Location: /private/e", status="302 Found")),
            "/robots.txt": raw(
                response(f"Sitemap: {site.url('/map.xml')}\nSitemap: {site.url('/private/m')}".encode())
            ),
            "/map.xml": raw(response(listed)),
        }
    )
    recorder = record(monkeypatch, site)
    limits = parse_off_limits(f"never.example\n{other.key}\n{site.key}/private/*")
    found = crawl(plan_for(site, other, contact="m@example.org", off_limits=limits), names())
    ended = {url.removeprefix(site.url("")) for url, outcome in found.items() if outcome == "refused: off-limits"}
    assert len(ended) == len(refused) + 3
    assert {found[site.url("/open")], found[site.url("/")]} == {"page"}
    assert not [path for path in site.asked() if "riv" in path]
    assert other.seen == []
    assert recorder.strangers == []


def test_a_broken_guard_would_be_seen_and_still_reach_nobody(
    start_hostile: StartHostile, plan_for: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = start_hostile({})
    site.routes["/"] = raw(response(page("start", "http://10.1.2.3/", "http://metadata.example/")))
    recorder = record(monkeypatch, site)
    monkeypatch.setattr(AddressPolicy, "check_address", lambda *_: None)
    found = crawl(plan_for(site, contact="m@example.org"), names())
    assert {address for address, _ in recorder.strangers} == {"10.1.2.3", "169.254.169.254"}
    assert found["http://10.1.2.3/"] == "failed: connection failed"
