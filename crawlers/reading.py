"""From a response to what the crawl makes of it: one event, and the links that were found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

import msgspec

from crawlers.endings import Ending, Fetched
from crawlers.extraction import Extracted, Format, UnreadableError, extract_text, sniff
from crawlers.extraction.process import HostileDocumentError
from crawlers.extraction.sniff import media_type
from crawlers.extraction.sources import lists_urls, read_source, unpack
from crawlers.extraction.traces import traces_of
from crawlers.extraction.worker import Document, take_apart
from crawlers.frontier import Kind, Row
from crawlers.history.lines import changed_share
from crawlers.history.remembering import seen_of
from crawlers.history.revisits import Revisits
from crawlers.history.visits import Seen
from crawlers.identity import event_id, identify, to_link
from crawlers.onward import Found, Onward
from crawlers.outcomes import Ended
from events import PageFound, UrlEnded, content_id

_TYPES = {
    Format.HTML: "text/html",
    Format.TEXT: "text/plain",
    Format.MARKDOWN: "text/markdown",
    Format.PDF: "application/pdf",
}
Outcome = Literal["duplicate", "unsupported", "refused", "failed"]
TakeApart = Callable[[Document], Awaitable[Extracted]]


async def take_apart_here(document: Document) -> Extracted:
    """Take ``document`` apart in this process, for tests and for documents that can be trusted."""
    return take_apart(document)


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
    knows
        Returns whether a page id is known to the crawl, so that nothing more need be made of a link to it.
    focused
        Whether links are given features.
    revisits
        Knows what earlier crawls have seen.
    """

    def __init__(
        self,
        crawl_id: str,
        *,
        max_bytes: int,
        max_depth: int,
        knows: Callable[[str], bool] = lambda _: False,
        focused: bool = False,
        revisits: Revisits | None = None,
    ) -> None:
        self._crawl_id = crawl_id
        self._max_bytes = max_bytes
        self._max_depth = max_depth
        self._focused = focused
        self._revisits = revisits
        self._onward = Onward(max_depth=max_depth, knows=knows, focused=focused)

    async def read(self, row: Row, fetched: Fetched, take_apart: TakeApart = take_apart_here) -> Ending:
        """Return what becomes of ``row``; ``take_apart`` reads HTML and PDF."""
        if fetched.status == 304 and (unmodified := self._unmodified(row, fetched)) is not None:
            return unmodified
        if not 200 <= fetched.status < 300:
            return self._ended(row, fetched, "failed", f"status {fetched.status}")
        body, kind = fetched.body, sniff(fetched.body, fetched.content_type, fetched.url)
        if kind is Format.GZIP:
            body, kind = unpack(body, self._max_bytes)
        if kind is Format.TEXT and lists_urls(body):
            kind = Format.SITEMAP
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
            extracted = await self._extract(body, kind, fetched, take_apart)
        except UnreadableError as error:
            return self._ended(row, fetched, "unsupported", str(error))
        except HostileDocumentError as error:
            return self._ended(row, fetched, "failed", error.reason)
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
        found = self._onward.found(pages, sources, row) if target else Found()
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

    def _ended(self, row: Row, fetched: Fetched, outcome: Outcome, reason: str, found: Found | None = None) -> Ending:
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
        return _ending(row, event, fetched, found or Found())

    def _source(self, row: Row, fetched: Fetched, body: bytes, kind: Format) -> Ending:
        source = read_source(body, fetched.url, fetched.content_type)
        same = self._revisits.unchanged(source.modified) if self._revisits is not None else set()
        changed = [url for url in source.pages if url not in same]
        found = self._onward.found(changed, source.sitemaps, row)._replace(too_long=source.too_long)
        ending = self._ended(row, fetched, "unsupported", kind.value, found)
        kept = (url for url in source.pages if url in same)
        left = [link for url in kept if (link := to_link(url, row.depth + 1)) is not None]
        ending = replace(ending, unchanged=left if row.depth < self._max_depth else ())
        return replace(ending, seen=seen_of(ending, fetched, content_id("\n".join(source.pages))))

    def _unmodified(self, row: Row, fetched: Fetched) -> Ending | None:
        """Return the end of a page of which its server says that it is the one that is known, if one is."""
        page = _identity(row, fetched)[0]
        visit = self._revisits.visit(page) if self._revisits is not None else None
        if self._revisits is None or visit is None or not visit.can_be_asked:
            return None
        found = Found(self._revisits.behind(page, row.depth))
        ending = self._ended(row, fetched, "duplicate", "not modified", found)
        event = msgspec.structs.replace(ending.event, content_id=visit.content_id)
        return replace(ending, event=event, seen=Seen(page_id=page, at=fetched.at, what="unmodified"))

    async def _extract(self, body: bytes, kind: Format, fetched: Fetched, take_apart: TakeApart) -> Extracted:
        if kind is Format.TEXT:
            return extract_text(body, content_type=fetched.content_type)
        pdf, markdown = kind is Format.PDF, kind is Format.MARKDOWN
        return await take_apart(Document(pdf, fetched.url, fetched.content_type, body, markdown, self._focused))

    def _page(self, row: Row, fetched: Fetched, kind: Format, extracted: Extracted) -> Ending:
        found = self._onward.found(extracted.links, extracted.sources, row, extracted.words)
        found = found._replace(too_long=extracted.too_long)
        if not extracted.text:
            return self._ended(row, fetched, "unsupported", "no text", found)
        page, host, url = _identity(row, fetched)
        content, lines, words = extracted.traces or traces_of(extracted.title, extracted.text)
        before = self._revisits.visit(page) if self._revisits is not None else None
        if before is not None and before.content_id in (None, content):
            before = None
        said = media_type(fetched.content_type)
        event = PageFound(
            id=event_id(self._crawl_id, page),
            at=fetched.at,
            page_id=page,
            url=url,
            host=host,
            crawl_id=self._crawl_id,
            content_id=content,
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
            previous_content_id=before.content_id if before else None,
            changed_share=changed_share(before.lines, lines) if before and before.lines else None,
        )
        ending = _ending(row, event, fetched, found)
        return replace(ending, words=words, seen=seen_of(ending, fetched, content, lines))


def _ending(row: Row, event: PageFound | UrlEnded, fetched: Fetched, found: Found) -> Ending:
    return Ending(
        row=row,
        event=event,
        chain=fetched.chain,
        links=found.links,
        known=found.known,
        beyond_depth=found.beyond_depth,
        too_long=found.too_long,
        counts=row.kind is Kind.PAGE,
    )


def _identity(row: Row, fetched: Fetched) -> tuple[str, str, str]:
    found = identify(fetched.url) if fetched.chain else None
    return (found.page_id, found.host, fetched.url) if found else (row.page_id, row.host, row.url)
