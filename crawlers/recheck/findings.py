"""From how a URL ended to what that says of the page: pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

from crawlers.recheck.parked import is_parked
from events import PageFound, UrlEnded

State = Literal["online", "changed", "gone", "unreachable", "refused"]
_GONE = frozenset({404, 410, 451})
_LOCKED = frozenset({401, 403, 407})


class Finding(NamedTuple):
    """What a look at a page has shown; ``reason`` is short and stable."""

    state: State
    reason: str = ""
    status: int | None = None
    content_id: str | None = None


def finding_of(
    end: PageFound | UrlEnded, known: str | None, last: Finding | None = None, twin: Finding | None = None
) -> Finding | None:
    """Return what the end of a page's URL says of it, or None where it was not asked or leads elsewhere.

    Parameters
    ----------
    end
        The page, or what happened instead. A name that does not resolve is ``unreachable`` here, see `found_dns`.
    known
        Content id of the text that the page is known for.
    last
        What the last look has shown; a page that was not modified since is what it was then.
    twin
        What was found at the page that has the same text: all of a parked host have.
    """
    if isinstance(end, PageFound):
        if is_parked(end.title, end.text, end.host):
            return Finding("gone", "parked", end.status, end.content_id)
        return _there(end.content_id, known, end.status)
    if end.outcome == "refused":
        return None if end.reason.startswith(("budget", "focus")) else Finding("refused", end.reason)
    if end.outcome == "duplicate":
        if end.reason == "redirect" or end.content_id is None:
            return None
        if end.reason == "not modified" and last is not None and last.content_id == end.content_id:
            return last._replace(status=end.status)
        if end.reason == "same text" and twin is not None and (twin.state, twin.content_id) == ("gone", end.content_id):
            return twin
        return _there(end.content_id, known, end.status)
    if end.outcome == "unsupported" or end.reason == "too large":
        return Finding("changed", end.reason, end.status)
    if end.status in _GONE:
        return Finding("gone", f"status {end.status}", end.status)
    return Finding("refused" if end.status in _LOCKED else "unreachable", end.reason, end.status)


def found_elsewhere(target: Finding | None) -> Finding | None:
    """Return what a redirect says of the page that it stands for, given what was found at its ``target``."""
    if target is None or target.state not in ("online", "changed"):
        return target
    return target._replace(reason="moved" if target.state == "online" else "redirect")


def found_dns(*, others_answer: bool) -> Finding:
    """Return what a name says that does not resolve: the host is gone, unless it may be our own resolver that fails."""
    return Finding("gone" if others_answer else "unreachable", "dns")


def _there(content: str, known: str | None, status: int | None) -> Finding:
    return Finding("online" if content == known else "changed", "", status, content)
