"""Making an edition from the store."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from dashboards.feeds.counting import Cluster, over_time, shown, table
from dashboards.feeds.edition import SCHEMA, Address, Cell, Confirmed, Edition, Section, StillOnline
from dashboards.feeds.facts import Facts, clusters, facts_of, online_now
from dashboards.feeds.persistence import rows_of, still_online
from storage.port import ItemQuery, Store

SMALLEST_PUBLIC = 3
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_SHOWN_CHARS = 80


class EditionRefusedError(ValueError):
    """Such an edition cannot be; the message is one line that says why."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def build_edition(
    store: Store,
    *,
    restricted: bool,
    edition_id: str,
    since: datetime | None = None,
    until: datetime | None = None,
    clock: Callable[[], datetime] = _utc_now,
) -> Edition:
    """Return an edition. The same store, period and clock give the same edition.

    Confirmed are items decided ``of_concern`` that were first seen in [since, until), and those first seen earlier that
    no edition for this audience has counted yet, so that a late decision is reported too.

    Parameters
    ----------
    store
        Read only; `dashboards.feeds.publish_edition` notes what was reported.
    restricted
        With a list of confirmed items and hosts; otherwise public: counts only, small ones put together.
    edition_id
        Such as ``2026-11``; the edition's ``id`` is this with ``-public`` or ``-restricted``.
    since, until
        The period, half-open, aware; without ``since`` from the beginning, without ``until`` to now.
    clock
        Says what time it is (aware UTC).

    Raises
    ------
    EditionRefusedError
        An id that cannot be a file name, or a period that ends before it begins.
    """
    if not _ID.fullmatch(edition_id):
        shown = ascii(edition_id if len(edition_id) <= _SHOWN_CHARS else f"{edition_id[:_SHOWN_CHARS]}...")
        raise EditionRefusedError(
            f"edition {shown}: use up to 80 letters, digits, '.', '_' and '-', the first a letter or digit"
        )
    now = clock()
    end = until or now
    if since is not None and since >= end:
        raise EditionRefusedError(
            f"the period of the edition would begin at {since:%Y-%m-%d %H:%M} and end at {end:%Y-%m-%d %H:%M} UTC"
        )
    audience = "restricted" if restricted else "public"
    name, smallest = f"{edition_id}-{audience}", 1 if restricted else SMALLEST_PUBLIC
    period = list(facts_of(store, ItemQuery(since=since, until=end)))
    confirmed = _confirmed(store, period, since, name)
    together = clusters(confirmed)
    return Edition(
        schema=SCHEMA,
        id=name,
        audience="restricted" if restricted else "public",
        built_at=now,
        since=since,
        until=end,
        smallest=smallest,
        confirmed=_section(confirmed, smallest),
        awaiting_review=_section([one for one in period if one.decision == "open"], smallest),
        decision=table(clusters(period), lambda one: (one.decision,), smallest),
        newness=_states(together, lambda cluster: _newness(cluster, name), smallest),
        online=_states(together, _presence, smallest),
        over_time=over_time(together, smallest),
        still_online=_still_online(store, end, now, smallest),
        host=table(together, lambda one: (one.host,), smallest) if restricted else (),
        items=tuple(_listed(cluster, name) for cluster in together) if restricted else (),
        page_ids=tuple(sorted(one.page_id for one in confirmed)),
    )


def _confirmed(store: Store, period: Iterable[Facts], since: datetime | None, name: str) -> list[Facts]:
    found = [one for one in period if one.decision == "of_concern"]
    if since is not None:
        earlier = facts_of(store, ItemQuery(decision=("of_concern",), until=since))
        found += [one for one in earlier if _is_new(one, name)]
    online = online_now(store, (one.page_id for one in found))
    return [replace(one, online=online.get(one.page_id)) for one in found]


def _still_online(store: Store, end: datetime, now: datetime, smallest: int) -> tuple[StillOnline, ...]:
    ever = list(facts_of(store, ItemQuery(decision=("of_concern",), until=end)))
    return still_online(clusters(ever), rows_of(store, ever), now, smallest)


def _section(facts: Sequence[Facts], smallest: int) -> Section:
    together = clusters(facts)
    texts = shown(len(together), smallest)
    return Section(
        texts=texts,
        pages=None if texts is None else len(facts),
        language=table(together, lambda one: (one.language,), smallest),
        subject=table(together, lambda one: one.subjects, smallest),
        technique=table(together, lambda one: one.techniques, smallest),
        method=table(together, lambda one: one.methods, smallest),
    )


def _states(together: Iterable[Cluster], state: Callable[[Cluster], str], smallest: int) -> tuple[Cell, ...]:
    """Count texts by a state that belongs to the text as a whole, not to one of its addresses."""
    named = [(cluster, state(cluster)) for cluster in together]
    by_page = {one.page_id: value for cluster, value in named for one in cluster}
    return table((cluster for cluster, _ in named), lambda one: (by_page[one.page_id],), smallest)


def _newness(cluster: Cluster, name: str) -> str:
    return "new" if all(_is_new(one, name) for one in cluster) else "known"


def _presence(cluster: Cluster) -> str:
    states = {one.online for one in cluster}
    return "online" if True in states else "not_checked" if None in states else "offline"


def _is_new(one: Facts, name: str) -> bool:
    """Return whether no other edition for the same audience has counted this."""
    suffix = "-" + name.rsplit("-", 1)[1]
    return not any(edition != name and edition.endswith(suffix) for edition in one.reported_in)


def _listed(cluster: Cluster, name: str) -> Confirmed:
    first = cluster[0]
    return Confirmed(
        content_id=first.content_id,
        language=first.language,
        subjects=_all(one.subjects for one in cluster),
        techniques=_all(one.techniques for one in cluster),
        methods=_all(one.methods for one in cluster),
        addresses=tuple(
            Address(
                url=one.url,
                first_seen_at=one.first_seen_at,
                decided_at=one.decided_at,
                online=one.online,
                new=_is_new(one, name),
            )
            for one in cluster
        ),
    )


def _all(values: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({value for some in values for value in some}))
