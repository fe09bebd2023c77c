"""Record the messages of a version, for the test that later versions read them: ``python -m tests.unit.events.recording
0.2.0``.

A recording is a folder with a message of every event, as it lies on the wire, what this version's reader understands of
it, and the schemas. It is never changed: where a later version cannot live with it, that version is what is wrong.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from events import (
    CrawlRequest,
    CrawlShare,
    CrawlState,
    Evidence,
    LabelRecorded,
    PageFound,
    PartitionProgress,
    RequestDone,
    UrlEnded,
    content_id,
    decode,
    encode,
    page_id,
)
from events.schema import documents
from tests.unit.events.pages import judged

FOLDER = Path(__file__).parent / "recorded"
AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
URL = "https://example.org/a"
ID = "0123456789abcdef0123456789abcdef"
_EVIDENCE = Evidence(warc="crawl-1.warc.gz", offset=4096, sha256="0" * 64)
_OF_A_URL: dict[str, Any] = {
    "id": ID,
    "at": AT,
    "url": URL,
    "page_id": page_id(URL),
    "host": "example.org",
    "crawl_id": "crawl-1",
    "depth": 2,
    "parent_url": "https://example.org/",
}


def meaning(event: Any) -> Any:
    """Return what a reader understands of an event, as JSON."""
    return json.loads(msgspec.json.encode(event))


def samples() -> dict[str, Any]:
    """Return an event of every kind, hollow, with something in every field."""
    page: dict[str, Any] = _OF_A_URL | {
        "content_id": content_id("text"),
        "fetched_at": AT,
        "title": "A page: café, 页, صفحة",
        "status": 200,
        "media_type": "text/html",
        "redirected_from": ("https://example.org/old",),
        "evidence": _EVIDENCE,
        "previous_content_id": content_id("before"),
        "changed_share": 0.25,
    }
    return {
        "request": CrawlRequest(**_OF_A_URL, priority=0.5, source=True, features=b"\x01\x02"),
        "page": PageFound(**page, text="text", text_truncated=True, charset="utf-8", language_hint="fr"),
        "ended": UrlEnded(
            **_OF_A_URL,
            outcome="duplicate",
            reason="same text",
            status=200,
            duplicate_of=ID,
            content_id=content_id("text"),
            fetched_at=AT,
            language="fr",
            evidence=_EVIDENCE,
        ),
        "judged": judged(
            **page, schema="judged/1.1", text="text", minhash=base64.b64encode(bytes(512)).decode(), text_truncated=True
        ),
        "label": LabelRecorded(
            id=ID,
            at=AT,
            page_id=page_id(URL),
            content_id=content_id("text"),
            decision="lawful",
            analyst="ana",
            reason="a museum",
            subjects=("firearm",),
            techniques=("repair",),
            context="museum_history",
            score=0.75,
            model="m-1",
        ),
        **_of_the_frontier(),
    }


def _of_the_frontier() -> dict[str, Any]:
    share = CrawlShare(
        open=1, requested=2, spent=3, ended_spent=3, hosts=1, rate=0.5, outcomes={"page": 3}, reasons={"failed: dns": 1}
    )
    return {
        "crawl": CrawlState(
            id=ID,
            at=AT,
            crawl_id="crawl-1",
            started_at=AT,
            contact="monitoring@example.org",
            user_agent="guidewatch/0.1",
            max_pages=1000,
            max_pages_per_host=500,
            max_depth=5,
            delay_s=1.0,
            timeout_s=30.0,
            max_bytes=8_000_000,
            focus="soft",
            seeds=(URL,),
            requested=1,
            phase="ended",
            because="frontier dry",
            ended_at=AT,
            outcomes={"page": 3},
            reasons={"failed: dns": 1},
            hosts=1,
        ),
        "done": RequestDone(
            crawl_id="crawl-1",
            page_id=page_id(URL),
            host="example.org",
            outcome="page",
            reason="none",
            counts=True,
            requested=2,
            content_id=content_id("text"),
        ),
        "progress": PartitionProgress(at=AT, partition=3, position=14, spider="spider-1", crawls={"crawl-1": share}),
    }


def record(version: str, folder: Path = FOLDER) -> Path:
    """Write the recording of a version and return its folder.

    Raises
    ------
    FileExistsError
        There is one.
    """
    target = folder / version
    target.mkdir(parents=True)
    for name, event in samples().items():
        wire = encode(event)
        recorded = {"wire": wire.decode(), "meaning": meaning(decode(wire))}
        (target / f"{name}.json").write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (target / "schemas").mkdir()
    for name, text in documents().items():
        (target / "schemas" / name).write_text(text, encoding="utf-8")
    return target


def main(arguments: list[str]) -> int:
    """Record the version that is named; return the exit status."""
    if len(arguments) != 1 or not re.fullmatch(r"\d+\.\d+\.\d+", arguments[0]):
        sys.stderr.write("say which version is released: VERSION=0.2.0\n")
        return 2
    try:
        sys.stdout.write(f"recorded in {record(arguments[0])}\n")
    except FileExistsError:
        sys.stderr.write(f"{arguments[0]} is recorded already, and a recording is never changed\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
