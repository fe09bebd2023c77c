"""The events themselves (DESIGN §6), as msgspec structs.

Every event carries ``schema`` (``name/major`` or ``name/major.minor``), ``id`` (unique to the event) and
``at`` (aware UTC, when the event was made). Readers ignore unknown fields, and every field added in a
minor version has a default, so older messages still decode.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal, get_args

import msgspec

Subject = Literal["firearm", "part_or_component", "ammunition"]
Technique = Literal["manufacture", "assembly", "conversion", "reactivation", "repair", "ammunition_making"]
Method = Literal["additive", "workshop", "kit", "improvised"]
Context = Literal[
    "news",
    "law_policy",
    "research",
    "museum_history",
    "hunting",
    "sport_shooting",
    "safety_storage",
    "licensed_trade_repair",
    "fiction_game",
    "benign_howto",
    "other",
]
Decision = Literal["of_concern", "lawful", "not_relevant", "unsure"]
Outcome = Literal["flagged", "not_flagged", "duplicate", "unsupported", "refused", "failed", "dead_letter"]

SUBJECTS: tuple[str, ...] = get_args(Subject)
TECHNIQUES: tuple[str, ...] = get_args(Technique)
METHODS: tuple[str, ...] = get_args(Method)
CONTEXTS: tuple[str, ...] = get_args(Context)
DECISIONS: tuple[str, ...] = get_args(Decision)
OUTCOMES: tuple[str, ...] = get_args(Outcome)

Utc = Annotated[datetime, msgspec.Meta(tz=True)]
Probability = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
MinHash = Annotated[str, msgspec.Meta(pattern="^([0-9A-Za-z+/]{683}=)?$", max_length=684)]
"""128 little-endian 32-bit numbers in base64: texts that are alike have many in the same places. Empty: not known."""

MAX_TEXT_CHARS = 200_000
"""Main text in an event is cut to this many characters; the crawler says so in ``text_truncated``."""


def new_id() -> str:
    """Return a fresh event id: 32 hexadecimal digits."""
    return uuid.uuid4().hex


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the raw response stands in a WARC file, and what its bytes hash to."""

    warc: str
    """File name, relative to the WARC folder of the installation."""
    offset: int
    """Byte offset of the gzip member of the response record."""
    sha256: str
    """SHA-256 of the payload as received (after transfer decoding, before content decoding)."""


class CrawlRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A URL somebody wants fetched. Topic ``crawl.requests``, key: host."""

    id: str
    at: Utc
    url: str
    page_id: Hash
    host: str
    crawl_id: str
    schema: str = "request/1"
    depth: int = 0
    parent_url: str | None = None
    priority: float = 0.0
    source: bool = False
    """Whether it is expected to be a sitemap or feed, which is fetched for its links and counts against no budget."""
    features: bytes = b""
    """Words of the link as `crawlers.focus` has them, in a crawl that learns from the verdicts."""


class UrlEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A URL that ended without a page to judge: ``duplicate``, ``unsupported``, ``refused`` or ``failed``.

    Travels through ``pages.found`` and ``pages.judged`` beside the pages, so that the ledger sees every URL.
    """

    id: str
    at: Utc
    page_id: Hash
    url: str
    host: str
    crawl_id: str
    outcome: Literal["duplicate", "unsupported", "refused", "failed", "dead_letter"]
    reason: str
    """Short and stable: ``robots``, ``guard: private address``, ``status 404``, ``timeout``, ``redirect`` …"""
    schema: str = "ended/1"
    depth: int = 0
    parent_url: str | None = None
    status: int | None = None
    duplicate_of: Hash | None = None
    content_id: Hash | None = None
    fetched_at: Utc | None = None
    language: str | None = None
    evidence: Evidence | None = None


class PageFound(msgspec.Struct, frozen=True, kw_only=True):
    """One fetched document with its main text. Topic ``pages.found``, key: page id."""

    id: str
    at: Utc
    page_id: Hash
    url: str
    host: str
    crawl_id: str
    content_id: Hash
    fetched_at: Utc
    title: str
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARS)]
    schema: str = "page/1.1"
    text_truncated: bool = False
    depth: int = 0
    parent_url: str | None = None
    status: int = 200
    media_type: str = "text/html"
    charset: str | None = None
    language_hint: str | None = None
    """What the page says of itself (``<html lang>`` or Content-Language), unverified."""
    redirected_from: tuple[str, ...] = ()
    evidence: Evidence | None = None
    previous_content_id: Hash | None = None
    """That of the text which the page had when it was last fetched, where this is another one."""
    changed_share: Probability | None = None
    """Which share of the words of both texts stands in lines that only one of them has, where that is known."""


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """A training passage that a passage resembles, and what training was told of it."""

    id: str
    similarity: Probability
    of_concern: bool


class Passage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A scored stretch of the main text: half-open character offsets into ``PageFound.text``."""

    start: int
    end: int
    score: Probability
    form: Probability | None = None
    subject: Probability | None = None
    words: tuple[tuple[str, float], ...] = ()
    """Words of the passage and how far each moved the score (positive: towards a flag)."""
    contexts: dict[Context, Probability] = {}
    """The likeliest lawful contexts, likeliest first."""
    nearest: tuple[Nearest, ...] = ()
    """The training passages that it resembles most, nearest first."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the classifier says of one page."""

    flagged: bool
    score: Probability
    threshold: Probability
    language: str
    outcome: Literal["flagged", "not_flagged", "unsupported"]
    model: str
    """Version of the model, such as ``2026.11-1a2b3c4d``."""
    subjects: dict[Subject, Probability] = {}
    techniques: dict[Technique, Probability] = {}
    methods: dict[Method, Probability] = {}
    context: Context | None = None
    passages: tuple[Passage, ...] = ()
    reason: str = ""
    """One sentence for people: why this verdict."""
    worth_a_look: bool = False
    """Not flagged, yet likely enough for the second queue, of pages to look at when there is time."""


class PageJudged(msgspec.Struct, frozen=True, kw_only=True):
    """A page with its verdict. Topic ``pages.judged``, key: page id.

    ``title``, ``text`` and ``minhash`` (of the text) are empty unless the page is flagged (DESIGN §2: no text of what
    is not flagged).
    """

    id: str
    at: Utc
    page_id: Hash
    url: str
    host: str
    crawl_id: str
    content_id: Hash
    fetched_at: Utc
    verdict: Verdict
    schema: str = "judged/1.1"
    title: str = ""
    text: str = ""
    text_truncated: bool = False
    depth: int = 0
    parent_url: str | None = None
    status: int = 200
    media_type: str = "text/html"
    redirected_from: tuple[str, ...] = ()
    evidence: Evidence | None = None
    minhash: MinHash = ""
    previous_content_id: Hash | None = None
    changed_share: Probability | None = None


class LabelRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """An analyst's decision on an item. Topic ``labels.recorded``, key: page id."""

    id: str
    at: Utc
    page_id: Hash
    content_id: Hash
    decision: Decision
    analyst: str
    schema: str = "label/1"
    reason: str = ""
    subjects: tuple[Subject, ...] = ()
    techniques: tuple[Technique, ...] = ()
    context: Context | None = None
    score: Probability | None = None
    """Score of the verdict that the analyst saw."""
    model: str | None = None


Event = CrawlRequest | UrlEnded | PageFound | PageJudged | LabelRecorded
