"""The WARC files of a crawl, read by strangers' tools."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import fastwarc
import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from consumers.vault import Vault, VaultKeys, fresh_key, read_keys
from consumers.vault.handing_over import hand_over
from consumers.vault.verifying import verify
from crawlers.plan import CrawlPlan
from crawlers.run import run_crawl
from events import PageFound
from tests.integration.crawlers.sinks import ListSink
from tests.integration.crawlers.site import Answer, Site, html, moved


def test_everything_fetched_is_in_the_warc_as_it_was_on_the_wire(
    start_site: Callable[..., Site], plan_for: Callable[..., CrawlPlan]
) -> None:
    packed = gzip.compress(b"<p>some packed words")
    site = start_site(
        {
            "/robots.txt": Answer(b"User-agent: *\nAllow: /"),
            "/": html("start", "/packed", "/hop", "/404"),
            "/packed": Answer(packed, headers=(("Content-Type", "text/html"), ("Content-Encoding", "gzip"))),
            "/hop": moved("/packed"),
        }
    )
    sink = ListSink()
    plan = plan_for(site)
    run_crawl(plan, sink)
    (path,) = (plan.data_dir / "warc").iterdir()
    checker = Checker(SimpleNamespace(inputs=[str(path)], verbose=False))
    checker.process_all()
    assert checker.exit_value == 0

    with path.open("rb") as file:
        found = [
            (record.rec_type, record.rec_headers.get_header("WARC-Target-URI"), record.raw_stream.read())
            for record in ArchiveIterator(file)
        ]
    responses = [(uri, body) for kind, uri, body in found if kind == "response"]
    assert sorted(uri for uri, _ in responses) == sorted(
        site.url(p) for p in ("/robots.txt", "/", "/packed", "/hop", "/packed", "/404")
    )
    assert dict(responses)[site.url("/packed")] == packed
    assert [kind for kind, *_ in found].count("request") == len(responses)

    pages = {event.url: event for event in sink.events if isinstance(event, PageFound)}
    assert pages[site.url("/packed")].text == "some packed words"
    for page in pages.values():
        assert page.evidence is not None
        with path.open("rb") as file:
            file.seek(page.evidence.offset)
            record = next(iter(fastwarc.ArchiveIterator(file)))
            assert record.headers["WARC-Target-URI"] == page.url
            record.parse_http()
            body = record.reader.read()
        if page.url == site.url("/"):
            assert sha256(body).hexdigest() == page.evidence.sha256


def test_a_file_that_was_cut_short_does_not_disturb_the_next_run(
    start_site: Callable[..., Site], plan_for: Callable[..., CrawlPlan]
) -> None:
    site = start_site({"/": html("start")})
    plan = plan_for(site)
    run_crawl(plan, ListSink())
    (first,) = (plan.data_dir / "warc").iterdir()
    first.write_bytes(first.read_bytes()[:-20])
    cut = first.read_bytes()
    sink = ListSink()
    run_crawl(plan, sink)
    assert sink.outcomes() == {"/": "page"}
    assert len(list((plan.data_dir / "warc").iterdir())) == 2
    assert first.read_bytes() == cut


def strangers_are_content(path: Path) -> bool:
    """Return whether the command lines of warcio and fastwarc find every digest of a file right."""
    tools = Path(sys.executable).parent
    warcio = subprocess.run([tools / "warcio", "check", "-v", path], capture_output=True, text=True, check=False)
    fastwarc = subprocess.run(
        [tools / "fastwarc", "check", "-p", "-q", path], capture_output=True, text=True, check=False
    )
    assert "digest pass" in warcio.stdout
    return warcio.returncode == fastwarc.returncode == 0


def test_a_crawl_by_name_has_the_answer_of_the_name_server_in_its_evidence(
    start_site: Callable[..., Site], plan_for: Callable[..., CrawlPlan]
) -> None:
    """With the resolver of this machine, which knows ``localhost``."""
    site = start_site({"/": html("start", "/a", "/b"), "/a": html("a"), "/b": html("b")})
    name = f"localhost:{site.port}"
    plan = plan_for(seeds=(f"http://{name}/", site.url("/a")), allow_private=frozenset({name, site.key}))
    run_crawl(plan, ListSink())
    (path,) = (plan.data_dir / "warc").iterdir()
    assert strangers_are_content(path)
    with path.open("rb") as file:
        records = [(record.headers, record.reader.read()) for record in fastwarc.ArchiveIterator(file)]
    answers = [(head, content) for head, content in records if head["WARC-Type"] == "resource"]
    ((dns, content),) = answers
    assert (dns["WARC-Target-URI"], dns["Content-Type"]) == ("dns:localhost", "text/dns")
    assert b"localhost.\tIN\tA\t127.0.0.1\r\n" in content
    for head, _ in records:
        if head["WARC-Type"] == "response":
            by_name = head["WARC-Target-URI"].startswith(f"http://{name}/")
            assert (head.get("WARC-Concurrent-To") == dns["WARC-Record-ID"]) is by_name
            assert head["WARC-IP-Address"] == "127.0.0.1"


@pytest.mark.parametrize("keys", [VaultKeys(), read_keys(fresh_key())], ids=["plain", "keyed"])
def test_what_is_handed_over_from_the_vault_is_read_by_strangers_with_request_and_answer(
    start_site: Callable[..., Site], plan_for: Callable[..., CrawlPlan], tmp_path: Path, keys: VaultKeys
) -> None:
    site = start_site({"/": html("start", "/a"), "/a": html("a")})
    name = f"localhost:{site.port}"
    sink = ListSink()
    plan = plan_for(seeds=(f"http://{name}/",), allow_private=frozenset({name}))
    run_crawl(plan, sink)
    vault = Vault(tmp_path / "vault", plan.data_dir / "warc", keys=keys)
    pages = [event for event in sink.events if isinstance(event, PageFound)]
    for page in pages:
        assert page.evidence is not None
        vault.keep(page.evidence, page_id=page.page_id, url=page.url, at=page.at)
    assert len(pages) == 2
    assert verify(tmp_path / "vault", keys).changes == ()
    for page in pages:
        target = tmp_path / f"{page.page_id}.warc.gz"
        hand_over(tmp_path / "vault", keys, page.page_id, target)
        assert strangers_are_content(target)
        with target.open("rb") as file:
            heads = [record.headers for record in fastwarc.ArchiveIterator(file)]
        assert [head["WARC-Type"] for head in heads] == ["response", "request", "resource"]
        assert [head["WARC-Target-URI"] for head in heads] == [page.url, page.url, "dns:localhost"]
