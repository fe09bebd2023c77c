"""From a response to what the crawl makes of it: one event, and the links that were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from crawlers.extraction import Extracted, Format, UnreadableError, extract_html, extract_pdf, extract_text, sniff
from crawlers.extraction.sniff import media_type
from crawlers.extraction.sources import read_source, unpack
from crawlers.frontier import Kind, Link, Row
from crawlers.identity import event_id, identify, to_link
from crawlers.outcomes import Ended
from events import Evidence, PageFound, UrlEnded, content_id

_TYPES = {Format.HTML: "text/html", Format.TEXT: "text/plain", Format.PDF: "application/pdf"}
Outcome = Literal["duplicate", "unsupported", "refused", "failed"]


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A response, free of Scrapy. ``chain``: the URLs that redirected here, first one first."""

    url: str
    status: int
    content_type: str
    content_language: str
    body: bytes
    at: datetime
    chain: tuple[str, ...] = ()
    evidence: Evidence | None = None


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a row ends: its event, under the final URL, and what to crawl next."""

    row: Row
    event: PageFound | UrlEnded = field(repr=False)
    chain: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()
    """Further URLs that redirected, to nothing that could be followed: they end as the row does."""
    links: Sequence[Link] = field(default=(), repr=False)
    beyond_depth: int = 0
    """Links that were not looked at because they lead too deep."""
    too_long: int = 0
    """Links that were left out for their length."""
    counts: bool = True
    """Whether it is a fetch that the page budgets count."""


class Reader:
    """Reads responses of one crawl.

    Parameters
    ----------
    crawl_id
        Written into every event.
    max_bytes
        Most bytes of an unpacked sitemap.
    max_depth
        Links that lead deeper are only counted.
    """

    def __init__(self, crawl_id: str, *, max_bytes: int, max_depth: int) -> None:
        self._crawl_id = crawl_id
        self._max_bytes = max_bytes
        self._max_depth = max_depth

    def read(self, row: Row, fetched: Fetched) -> Ending:
        """Return what becomes of ``row``."""
        if not 200 <= fetched.status < 300:
            return self._ended(row, fetched, "failed", f"status {fetched.status}")
        body, kind = fetched.body, sniff(fetched.body, fetched.content_type)
        if kind is Format.GZIP:
            body, kind = unpack(body, self._max_bytes)
        if kind in (Format.SITEMAP, Format.FEED):
            return self._source(row, fetched, body, kind)
        if row.kind is Kind.SOURCE:
            return self._ended(row, fetched, "unsupported", "not a sitemap or feed")
        if not body.strip():
            return self._ended(row, fetched, "unsupported", "empty")
        if kind in (Format.OTHER, Format.GZIP):
            said = media_type(fetched.content_type) or "unknown"
            return self._ended(row, fetched, "unsupported", f"media type {said[:80]}")
        try:
            extracted = _extract(body, kind, fetched)
        except UnreadableError as error:
            return self._ended(row, fetched, "unsupported", str(error))
        return self._page(row, fetched, kind, extracted)

    def ended(self, row: Row, *, outcome: Outcome, reason: str, url: str, at: datetime) -> UrlEnded:
        """Return the event of a URL that gave no response to read."""
        found = identify(url)
        return UrlEnded(
            id=event_id(self._crawl_id, found.page_id if found else row.page_id),
            at=at,
            page_id=found.page_id if found else row.page_id,
            url=url if found else row.url,
            host=found.host if found else row.host,
            crawl_id=self._crawl_id,
            outcome=outcome,
            reason=reason,
            depth=row.depth,
            parent_url=row.parent_url,
        )

    def given_up(self, row: Row, ended: Ended, urls: Sequence[str], at: datetime, target: str = "") -> Ending:
        """Return what becomes of ``row`` where its redirects are given up after the further ``urls`` had been asked.

        ``target``, the first URL that was not asked, counts as a link of ``row``.
        """
        pages, sources = ([target], []) if row.kind is Kind.PAGE else ([], [target])
        found = self._found(pages, sources, row, 0) if target else _Found([], 0, 0)
        return Ending(
            row=row,
            event=self.ended(row, outcome=ended.outcome, reason=ended.reason, url=row.url, at=at),
            given_up=tuple(urls),
            links=found.links,
            beyond_depth=found.beyond_depth,
            counts=ended.outcome == "failed" and row.kind is Kind.PAGE,
        )

    def alike(self, row: Row, end: PageFound | UrlEnded) -> UrlEnded:
        """Return the event of a URL that ends as another has: its redirect leads to nothing that could be followed."""
        outcome: Outcome = "refused" if isinstance(end, UrlEnded) and end.outcome == "refused" else "failed"
        reason = end.reason if isinstance(end, UrlEnded) else "too many redirects"
        return self.ended(row, outcome=outcome, reason=reason, url=row.url, at=end.at)

    def redirect(self, row: Row, target: str, at: datetime) -> UrlEnded:
        """Return the event of a URL that leads to the page ``target``."""
        return UrlEnded(
            id=event_id(self._crawl_id, row.page_id),
            at=at,
            page_id=row.page_id,
            url=row.url,
            host=row.host,
            crawl_id=self._crawl_id,
            outcome="duplicate",
            reason="redirect",
            depth=row.depth,
            parent_url=row.parent_url,
            duplicate_of=target,
            fetched_at=at,
        )

    def repeated(self, page: PageFound, first: str) -> UrlEnded:
        """Return the event of a page whose text the page ``first`` has had."""
        return UrlEnded(
            id=page.id,
            at=page.at,
            page_id=page.page_id,
            url=page.url,
            host=page.host,
            crawl_id=page.crawl_id,
            outcome="duplicate",
            reason="same text",
            depth=page.depth,
            parent_url=page.parent_url,
            status=page.status,
            duplicate_of=first,
            content_id=page.content_id,
            fetched_at=page.fetched_at,
            evidence=page.evidence,
        )

    def _ended(self, row: Row, fetched: Fetched, outcome: Outcome, reason: str, found: _Found | None = None) -> Ending:
        identity = _identity(row, fetched)
        event = UrlEnded(
            id=event_id(self._crawl_id, identity[0]),
            at=fetched.at,
            page_id=identity[0],
            url=identity[2],
            host=identity[1],
            crawl_id=self._crawl_id,
            outcome=outcome,
            reason=reason,
            depth=row.depth,
            parent_url=row.parent_url,
            status=fetched.status,
            fetched_at=fetched.at,
            evidence=fetched.evidence,
        )
        return _ending(row, event, fetched, found or _Found([], 0, 0))

    def _source(self, row: Row, fetched: Fetched, body: bytes, kind: Format) -> Ending:
        source = read_source(body, fetched.url, fetched.content_type)
        found = self._found(source.pages, source.sitemaps, row, source.too_long)
        return self._ended(row, fetched, "unsupported", kind.value, found)

    def _found(self, pages: Sequence[str], sources: Sequence[str], row: Row, too_long: int) -> _Found:
        if row.depth >= self._max_depth:
            return _Found([], len(pages) + len(sources), too_long)
        links = [to_link(url, row.depth + 1) for url in pages]
        links += [to_link(url, row.depth, kind=Kind.SOURCE) for url in sources]
        return _Found([link for link in links if link is not None], 0, too_long)

    def _page(self, row: Row, fetched: Fetched, kind: Format, extracted: Extracted) -> Ending:
        found = self._found(extracted.links, extracted.sources, row, extracted.too_long)
        if not extracted.text:
            return self._ended(row, fetched, "unsupported", "no text", found)
        page, host, url = _identity(row, fetched)
        said = media_type(fetched.content_type)
        event = PageFound(
            id=event_id(self._crawl_id, page),
            at=fetched.at,
            page_id=page,
            url=url,
            host=host,
            crawl_id=self._crawl_id,
            content_id=content_id(extracted.text),
            fetched_at=fetched.at,
            title=extracted.title,
            text=extracted.text,
            text_truncated=extracted.text_truncated,
            depth=row.depth,
            parent_url=row.parent_url,
            status=fetched.status,
            media_type=said if kind is Format.HTML and said == "application/xhtml+xml" else _TYPES[kind],
            charset=extracted.charset,
            language_hint=extracted.language_hint or fetched.content_language.partition(",")[0].strip()[:35] or None,
            redirected_from=fetched.chain,
            evidence=fetched.evidence,
        )
        return _ending(row, event, fetched, found)


class _Found(NamedTuple):
    links: list[Link]
    beyond_depth: int
    too_long: int


def _ending(row: Row, event: PageFound | UrlEnded, fetched: Fetched, found: _Found) -> Ending:
    return Ending(
        row=row,
        event=event,
        chain=fetched.chain,
        links=found.links,
        beyond_depth=found.beyond_depth,
        too_long=found.too_long,
        counts=row.kind is Kind.PAGE,
    )


def _extract(body: bytes, kind: Format, fetched: Fetched) -> Extracted:
    if kind is Format.PDF:
        return extract_pdf(body)
    if kind is Format.TEXT:
        return extract_text(body, content_type=fetched.content_type)
    return extract_html(body, url=fetched.url, content_type=fetched.content_type)


def _identity(row: Row, fetched: Fetched) -> tuple[str, str, str]:
    found = identify(fetched.url) if fetched.chain else None
    return (found.page_id, found.host, fetched.url) if found else (row.page_id, row.host, row.url)
