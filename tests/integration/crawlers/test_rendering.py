"""Pages that are empty without their scripts, in a real Chromium on loopback."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crawlers.plan import CrawlPlan, PlanError
from crawlers.run import RunOptions, run_crawl
from events import PageFound
from tests.integration.crawlers.sinks import ListSink
from tests.integration.crawlers.site import Answer, Site, html
from tests.servers.browser import chromium

Start = Callable[..., Site]
Plan = Callable[..., CrawlPlan]

PROSE = "This sentence says a little about a harmless subject, so that there is a text. " * 4
SCRIPT = (("Content-Type", "text/javascript"),)
JSON = (("Content-Type", "application/json"),)
APP = Answer(
    b"<!doctype html><html><head><title>App</title></head><body><div id=app></div><script src=/app.js></script>"
)
SHOW = """
function show(text) {
    const p = document.createElement("p");
    p.textContent = text;
    document.getElementById("app").append(p);
    const a = document.createElement("a");
    a.href = "/next";
    a.textContent = "next";
    document.getElementById("app").append(a);
}
"""


def app(script: str, **routes: Answer) -> dict[str, Answer]:
    """Return the routes of a site whose page is made by ``script``."""
    named = {f"/{name.replace('__', '.')}": answer for name, answer in routes.items()}
    return {"/": APP, "/app.js": Answer((SHOW + script).encode(), headers=SCRIPT), **named}


def crawl(plan: CrawlPlan) -> ListSink:
    sink = ListSink()
    run_crawl(plan, sink)
    return sink


def ends(sink: ListSink) -> dict[str, str]:
    return {event.url: event.text if isinstance(event, PageFound) else event.reason for event in sink.events}


@contextmanager
def counted() -> Iterator[tuple[int, list[bytes]]]:
    """Yield a port that takes connections, and what has been said on them."""
    said: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        done = threading.Event()

        def take() -> None:
            while not done.is_set():
                try:
                    taken, _ = server.accept()
                except TimeoutError:
                    continue
                said.append(b"connected")
                taken.close()

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield server.getsockname()[1], said
        finally:
            done.set()
            thread.join()


def browsers() -> list[int]:
    """Return the processes of Chromium that work for this process."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if b"MAP * ~NOTFOUND" in command and b"127.0.0.1:9" in command:
            found.append(int(entry.name))
    return found


def test_a_page_that_its_script_makes_is_found_with_text_and_links(start_site: Start, plan_for: Plan) -> None:
    site = start_site(
        app(
            'fetch("/data.json").then(answer => answer.json()).then(data => show(data.text));',
            data__json=Answer(json.dumps({"text": PROSE}).encode(), headers=JSON),
            next=html(PROSE + "Next."),
        )
    )
    found = ends(crawl(plan_for(site, browser=chromium())))
    assert PROSE.strip() in found[site.url("/")]
    assert "Next." in found[site.url("/next")]


def test_without_a_browser_such_a_page_has_no_text(start_site: Start, plan_for: Plan) -> None:
    site = start_site(app(f"show({PROSE!r});"))
    assert ends(crawl(plan_for(site))) == {site.url("/"): "no text"}
    assert "/app.js" not in site.asked()


def test_a_page_that_has_text_is_not_rendered(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/": Answer(f"<p>{PROSE}</p><script src=/app.js></script>".encode())})
    crawl(plan_for(site, browser=chromium()))
    assert "/app.js" not in site.asked()


def test_a_script_reaches_no_address_that_the_crawl_may_not(start_site: Start, plan_for: Plan) -> None:
    with counted() as (port, said):
        site = start_site(
            app(
                f"""
                const secret = "127.0.0.1:{port}";
                const tries = [];
                const hosts = [secret, "localhost:{port}", "[::1]:{port}", "169.254.169.254", "10.0.0.1", "metadata"];
                for (const host of hosts)
                    tries.push(fetch(`http://${{host}}/latest/meta-data/`, {{mode: "no-cors"}}).catch(() => 0));
                tries.push(fetch("/hop").catch(() => 0));
                tries.push(fetch("file:///etc/hostname").catch(() => 0));
                tries.push(fetch("/post", {{method: "POST", body: "x"}}).catch(() => 0));
                new Image().src = `http://${{secret}}/image`;
                navigator.sendBeacon(`http://${{secret}}/beacon`, "x");
                const frame = document.createElement("iframe");
                frame.src = `http://${{secret}}/frame`;
                document.body.append(frame);
                const rels = "stylesheet prefetch preconnect dns-prefetch prerender modulepreload icon manifest";
                for (const rel of rels.split(" ")) {{
                    const link = document.createElement("link");
                    link.rel = rel;
                    link.href = `http://${{secret}}/${{rel}}`;
                    document.head.append(link);
                }}
                const rules = document.createElement("script");
                rules.type = "speculationrules";
                rules.textContent = JSON.stringify({{prefetch: [{{source: "list", urls: [`http://${{secret}}/rules`]}}]}});
                document.head.append(rules);
                for (const make of [
                    () => new WebSocket(`ws://${{secret}}/socket`),
                    () => new EventSource(`http://${{secret}}/events`),
                    () => new Worker(`http://${{secret}}/worker.js`),
                    () => new RTCPeerConnection({{iceServers: [{{urls: `stun:${{secret}}`}}]}}).createDataChannel("x"),
                    () => navigator.serviceWorker.register("/worker.js"),
                    () => window.open(`http://${{secret}}/window`),
                    () => frame.contentWindow.fetch(`http://${{secret}}/inner`),
                    () => new frame.contentWindow.WebSocket(`ws://${{secret}}/inner-socket`),
                ]) try {{ Promise.resolve(make()).catch(() => 0); }} catch {{}}
                Promise.all(tries).then(() => show({PROSE!r}));
                setTimeout(() => alert("stop"), 50);
                setTimeout(() => location.href = `http://${{secret}}/away`, 100);
                """
            )
            | {"/hop": Answer(status=302, headers=(("Location", f"http://127.0.0.1:{port}/hopped"),))}
        )
        found = ends(crawl(plan_for(site, browser=chromium(), max_depth=0)))
    assert said == []
    assert PROSE.strip() in found[site.url("/")]
    assert {path for path in site.asked() if path not in ("/", "/robots.txt", "/app.js")} == {"/hop"}


def test_robots_and_off_limits_hold_for_what_a_page_asks_for(start_site: Start, plan_for: Plan) -> None:
    site = start_site(
        app(
            f'fetch("/private/data").finally(() => show({PROSE!r}));',
            robots__txt=Answer(b"User-agent: *\nDisallow: /private/"),
        )
    )
    found = ends(crawl(plan_for(site, browser=chromium(), max_depth=0)))
    assert PROSE.strip() in found[site.url("/")]
    assert "/private/data" not in site.asked()


@pytest.mark.parametrize(
    "script",
    [
        "while (true) {}",
        "const all = []; while (true) all.push(new Array(1e6).fill(all.length));",
        "setInterval(() => fetch('/x'), 1);",
    ],
    ids=["loops", "swells", "asks on"],
)
def test_a_hostile_page_ends_and_the_next_is_rendered(start_site: Start, plan_for: Plan, script: str) -> None:
    hostile = start_site(app(script))
    good = start_site(app(f"show({PROSE!r});"))
    plan = plan_for(hostile, good, browser=chromium(), timeout_s=6.0, max_depth=0, concurrency=1)
    found = ends(crawl(plan))
    assert found[hostile.url("/")] == "no text"
    assert PROSE.strip() in found[good.url("/")]
    assert len(hostile.asked()) < 60
    assert browsers() == []


def test_a_stop_does_not_wait_for_a_page_that_is_being_rendered(start_site: Start, plan_for: Plan) -> None:
    site = start_site(app("while (true) {}"))
    stop = threading.Event()
    sink = ListSink()
    plan = plan_for(site, browser=chromium(), timeout_s=60.0)
    options = RunOptions(stop=stop, handle_signals=False)
    work = threading.Thread(target=run_crawl, args=(plan, sink), kwargs={"options": options})
    work.start()
    until = time.monotonic() + 30
    while "/app.js" not in site.asked() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)
    stop.set()
    work.join(15)
    assert not work.is_alive()
    assert sink.events == []
    assert browsers() == []


def test_a_browser_that_does_not_start_leaves_pages_as_they_are(start_site: Start, plan_for: Plan) -> None:
    site = start_site(app(f"show({PROSE!r});"))
    assert ends(crawl(plan_for(site, browser="/bin/true", max_depth=0))) == {site.url("/"): "no text"}


def test_a_browser_that_is_not_there_is_the_users_mistake(plan_for: Plan, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="there is no browser"):
        plan_for(seeds=("http://127.0.0.1/",), browser=str(tmp_path / "chromium"))
