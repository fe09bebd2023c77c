"""Events for the tests of a store: hollow texts, fixed times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from events import (
    Evidence,
    LabelRecorded,
    Nearest,
    PageJudged,
    Passage,
    UrlEnded,
    Verdict,
    content_id,
    host_key,
    page_id,
)

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PASSAGE = Passage(
    start=0,
    end=4,
    score=0.9,
    form=0.8,
    subject=0.7,
    words=(("page", 0.25),),
    contexts={"news": 0.6, "hunting": 0.2},
    nearest=(
        Nearest(id="en-0123", similarity=0.82, of_concern=True),
        Nearest(id="en-0004", similarity=0.4, of_concern=False),
    ),
)


def later(**span: float) -> datetime:
    """Return a time after `NOON`."""
    return NOON + timedelta(**span)


class Clock:
    """A clock that stands still until somebody moves it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def verdict(**fields: Any) -> Verdict:
    """Return a verdict, flagged unless the fields say otherwise."""
    flagged = fields.get("flagged", True)
    usual: dict[str, Any] = {
        "flagged": flagged,
        "score": 0.9 if flagged else 0.1,
        "threshold": 0.5,
        "language": "en",
        "outcome": "flagged" if flagged else "not_flagged",
        "model": "2026.11-test",
        "subjects": {"firearm": 0.9, "ammunition": 0.2},
        "techniques": {"manufacture": 0.8, "repair": 0.5},
        "methods": {"workshop": 0.7},
        "context": "other",
        "passages": (PASSAGE,),
        "reason": "It reads like a guide.",
    }
    return Verdict(**(usual | fields))


def judged(name: str = "one", *, says: Verdict | None = None, **fields: Any) -> PageJudged:
    """Return the judgement of the page called ``name``, an hour before noon; without a text unless flagged."""
    said = says or verdict()
    url = fields.pop("url", f"https://a.example/{name}")
    text = fields.pop("text", f"A page about {name}.")
    usual: dict[str, Any] = {
        "id": f"judged-{name}",
        "at": later(minutes=-59),
        "page_id": page_id(url),
        "url": url,
        "host": host_key(url),
        "crawl_id": "crawl-1",
        "content_id": content_id(text),
        "fetched_at": later(minutes=-60),
        "verdict": said,
        "title": f"About {name}" if said.flagged else "",
        "text": text if said.flagged else "",
        "evidence": Evidence(warc="a.warc.gz", offset=17, sha256="0" * 64),
    }
    return PageJudged(**(usual | fields))


def unflagged(name: str = "one", **fields: Any) -> PageJudged:
    """Return the judgement of a page that is not flagged."""
    return judged(name, says=verdict(flagged=False, passages=()), **fields)


def near(name: str = "one", score: float = 0.4, **fields: Any) -> PageJudged:
    """Return the judgement of a page that is not flagged and worth a look."""
    return judged(name, says=verdict(flagged=False, passages=(), score=score, worth_a_look=True), **fields)


def ended(name: str = "one", **fields: Any) -> UrlEnded:
    """Return a URL that ended without a page, an hour before noon."""
    url = fields.pop("url", f"https://a.example/{name}")
    usual: dict[str, Any] = {
        "id": f"ended-{name}",
        "at": later(minutes=-60),
        "page_id": page_id(url),
        "url": url,
        "host": host_key(url),
        "crawl_id": "crawl-1",
        "outcome": "failed",
        "reason": "status 404",
        "status": 404,
    }
    return UrlEnded(**(usual | fields))


def label(name: str = "one", **fields: Any) -> LabelRecorded:
    """Return a decision on the page called ``name``, at noon."""
    usual: dict[str, Any] = {
        "id": f"label-{name}",
        "at": NOON,
        "page_id": pid(name),
        "content_id": content_id(f"A page about {name}."),
        "decision": "of_concern",
        "analyst": "ana",
        "reason": "It promises a guide.",
        "subjects": ("firearm",),
        "techniques": ("manufacture",),
        "context": "other",
        "score": 0.9,
        "model": "2026.11-test",
    }
    return LabelRecorded(**(usual | fields))


def pid(name: str) -> str:
    """Return the page id of the page called ``name``."""
    return page_id(f"https://a.example/{name}")
