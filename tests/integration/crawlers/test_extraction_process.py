"""Documents that break what reads them break nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fpdf import FPDF

from crawlers.extraction import Extracted, UnreadableError
from crawlers.extraction.process import ExtractionProcess, ExtractionStoppedError, HostileDocumentError
from crawlers.extraction.worker import Document, Limits
from crawlers.plan import CrawlPlan
from crawlers.run import run_crawl
from tests.integration.crawlers.hostile import HostileSite, Route, crawl, page, raw, response
from tests.integration.crawlers.sinks import ListSink

WORKER = "tests.integration.crawlers.hostile_worker"
Plan = Callable[..., CrawlPlan]


@pytest.fixture
def process() -> Iterator[ExtractionProcess]:
    with contextlib.closing(ExtractionProcess(Limits(cpu_s=1, wall_s=3.0), WORKER)) as made:
        yield made


def document(body: bytes, *, pdf: bool = True, url: str = "") -> Document:
    return Document(pdf, url, "", body)


def read(process: ExtractionProcess, *bodies: bytes, url: str = "") -> list[Extracted | str]:
    async def each() -> list[Extracted | str]:
        found: list[Extracted | str] = []
        for body in bodies:
            try:
                found.append(await process.take_apart(document(body, pdf=b"<p>" not in body, url=url)))
            except (HostileDocumentError, UnreadableError) as error:
                found.append(str(error))
        return found

    return asyncio.run(each())


def number(process: ExtractionProcess) -> int:
    (found,) = read(process, b"number")
    assert isinstance(found, Extracted)
    return int(found.text)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    while is_alive(pid):
        assert time.monotonic() < deadline, "the process outlives the crawl"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"crash", "pdf crashes its reader"),
        (b"loop", "pdf takes too long"),
        (b"sleep", "pdf takes too long"),
        (b"swell", "pdf takes too much memory"),
        (b"flood", "pdf crashes its reader"),
        (b"<p>crash", "html crashes its reader"),
        (b"<p>loop", "html takes too long"),
    ],
)
def test_a_document_that_breaks_its_reader_has_a_reason_and_the_next_is_read(
    process: ExtractionProcess, body: bytes, reason: str
) -> None:
    before = number(process)
    broken, following = read(process, body, b"<p>words of the next")
    assert broken == reason
    assert isinstance(following, Extracted)
    assert following.text == "words of the next"
    assert number(process) != before
    assert not is_alive(before)


def test_one_process_serves_for_one_document_after_the_other(process: ExtractionProcess) -> None:
    before = number(process)
    read(process, b"<p>a", b"%PDF-1.7 broken", b"<p>print", b"<p>b" * 2_000)
    assert number(process) == before


def test_what_its_parent_has_held_wears_no_process_out() -> None:
    parent = (
        "import sys\nsys.path[0] = sys.argv[1]\n"
        "from tests.integration.crawlers.test_extraction_process import *\n"
        "held = b'x' * 900_000_000\ndel held\n"
        "with contextlib.closing(ExtractionProcess(Limits(), WORKER)) as process:\n"
        "    print(number(process) == number(process))\n"
    )
    command = [sys.executable, "-c", parent, str(Path(__file__).parents[3])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "True\n"


def test_many_at_once_are_each_answered_their_own(process: ExtractionProcess) -> None:
    async def together() -> list[Extracted]:
        bodies = [f"<p>number-{n}".replace("number", "page").encode() for n in range(30)]
        return list(await asyncio.gather(*(process.take_apart(document(body, pdf=False)) for body in bodies)))

    assert [found.text for found in asyncio.run(together())] == [f"page-{n}" for n in range(30)]


def test_the_event_loop_goes_on_meanwhile(process: ExtractionProcess) -> None:
    async def beside() -> int:
        reading = asyncio.create_task(process.take_apart(document(b"loop")))
        ticks = 0
        while not reading.done():
            await asyncio.sleep(0.02)
            ticks += 1
        with pytest.raises(HostileDocumentError):
            await reading
        return ticks

    assert asyncio.run(beside()) > 10


def test_the_reader_sees_no_secrets_and_writes_no_files(
    process: ExtractionProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GUIDEWATCH_REVIEW_SECRET", "hidden")
    (seen,) = read(process, b"secret")
    assert isinstance(seen, Extracted)
    assert "GUIDEWATCH" not in seen.text
    assert read(process, b"<p>write", url=str(tmp_path / "file"))[0] in ("error: OSError", "html crashes its reader")
    assert not (tmp_path / "file").exists() or not (tmp_path / "file").read_bytes()


def test_closing_ends_the_process_at_once_and_leaves_what_it_was_reading(process: ExtractionProcess) -> None:
    before = number(process)

    async def stop() -> None:
        reading = asyncio.create_task(process.take_apart(document(b"sleep")))
        await asyncio.sleep(0.3)
        process.stop_within(0.1)
        with pytest.raises(ExtractionStoppedError):
            await reading
        with pytest.raises(ExtractionStoppedError):
            await process.take_apart(document(b"<p>later", pdf=False))

    began = time.monotonic()
    asyncio.run(stop())
    assert time.monotonic() - began < 2.5
    assert not is_alive(before)


@pytest.mark.parametrize("doing", ["nothing", "loop"])
def test_the_process_ends_when_the_crawl_is_killed(doing: str) -> None:
    program = (
        "import asyncio, os, sys\n"
        "from crawlers.extraction.process import ExtractionProcess\n"
        "from crawlers.extraction.worker import Document, Limits\n"
        f"process = ExtractionProcess(Limits(cpu_s=1, wall_s=60), {WORKER!r})\n"
        "async def main():\n"
        "    found = await process.take_apart(Document(True, '', '', b'number'))\n"
        "    print(found.text, flush=True)\n"
        f"    await process.take_apart(Document(True, '', '', {doing.encode()!r})) if {doing == 'loop'} else None\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_alive(child)
    time.sleep(0.2)
    parent.kill()
    parent.communicate()
    wait_until_gone(child)


def test_a_process_that_does_not_start_stops_the_crawl_and_fails_no_page(
    start_hostile: Callable[[dict[str, Route]], HostileSite], plan_for: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawlers.crawl.ExtractionProcess", lambda: ExtractionProcess(module="no.such.module"))
    site, sink = start_hostile({}), ListSink()
    summary = run_crawl(plan_for(site), sink)
    assert (summary.finished, summary.ended_because) == (False, "reader: the process for documents does not start")
    assert (sink.events, summary.left_queued) == ([], 1)


def test_a_stop_waits_for_no_document_and_leaves_it_for_the_next_run(
    start_hostile: Callable[[dict[str, Route]], HostileSite], plan_for: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawlers.crawl.ExtractionProcess", lambda: ExtractionProcess(Limits(wall_s=60.0), WORKER))
    site = start_hostile({"/": raw(response(page("sleep")))})
    stop, sink = threading.Event(), ListSink()
    threading.Thread(target=lambda: (site.await_request("/"), time.sleep(1.0), stop.set()), daemon=True).start()
    summary = run_crawl(plan_for(site), sink, stop=stop)
    assert (summary.ended_because, summary.finished, summary.left_queued) == ("stopped", False, 1)
    assert sink.events == []
    assert time.monotonic() - site.seen[-1].at < 1.0 + 5


def bomb() -> bytes:
    """Return a PDF whose page is a gigabyte of blanks when it is unpacked, twice packed."""
    document = FPDF()
    document.set_font("helvetica", size=12)
    document.add_page()
    document.multi_cell(0, text="words")
    body = bytes(document.output())
    stream = zlib.compress(zlib.compress(b" " * 1_000_000_000, 9), 9)
    start = body.index(b"/Filter /FlateDecode")
    begin, end = body.index(b"stream\n", start) + 7, body.index(b"\nendstream", start)
    head = body[:begin].replace(b"/Filter /FlateDecode", b"/Filter [/FlateDecode /FlateDecode]", 1)
    return head + stream + body[end:]


def test_hostile_documents_end_as_failed_in_a_crawl_that_goes_on(
    start_hostile: Callable[[dict[str, Route]], HostileSite], plan_for: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ExtractionProcess] = []

    def make() -> ExtractionProcess:
        made.append(ExtractionProcess(Limits(cpu_s=2, wall_s=20.0), WORKER))
        return made[-1]

    monkeypatch.setattr("crawlers.crawl.ExtractionProcess", make)
    bodies = {"/a": b"crash", "/b": b"loop", "/c": b"swell"}
    reasons = ["crashes its reader", "takes too long", "takes too much memory"]
    kind = "Content-Type: application/pdf"
    site = start_hostile({path: raw(response(b"%PDF-1.7 " + body, kind)) for path, body in bodies.items()})
    site.routes["/bomb"] = raw(response(bomb(), kind))
    site.routes["/"] = raw(response(page("start", *bodies, "/bomb", "/behind")))
    found = crawl(plan_for(site, timeout_s=30.0))
    assert [found[site.url(path)] for path in bodies] == [f"failed: pdf {why}" for why in reasons]
    assert found[site.url("/bomb")].startswith(("failed: pdf ", "unsupported: pdf "))
    assert found[site.url("/behind")] == "page"
    assert made[0]._process is None
