from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from storage.checks import with_checks
from storage.elastic import checking, documents
from storage.elastic.entries import Entry, entry_document, entry_of, mark_of
from storage.elastic.indices import FIRST, KINDS, Indices, Kind, month_of
from storage.elastic.templates import missing, template
from storage.merge import Held, with_event, with_labels, with_report
from storage.port import Check, StoreRejectedError
from tests.contract.clustering import signed
from tests.contract.samples import NOON, judged, label, later


def declared(properties: dict[str, Any], path: str = "") -> set[str]:
    names: set[str] = set()
    for name, field in properties.items():
        nested = field.get("properties")
        names |= declared(nested, f"{path}{name}.") if nested else {f"{path}{name}"}
    return names


def used(document: dict[str, Any], ends: set[str], path: str = "") -> set[str]:
    names: set[str] = set()
    for name, value in document.items():
        nested = isinstance(value, dict) and f"{path}{name}" not in ends
        names |= used(value, ends, f"{path}{name}.") if nested else {f"{path}{name}"}
    return names


@pytest.mark.parametrize("kind", KINDS)
def test_strict_mapping_declares_every_field_of_a_document(kind: str) -> None:
    held = with_report(with_labels(with_event(Held(), judged(), NOON), [label()]), "edition", NOON)
    check = Check(page_id=label().page_id, at=NOON, state="gone", reason="status 404", status=404, content_id="a" * 32)
    held = with_checks(held, [check])
    (written,) = checking.operations([("checks", check)])
    assert held.item is not None
    assert held.ledger is not None
    document = {
        "items": documents.item_document(held.item),
        "ledger": documents.ledger_document(held.ledger),
        "decisions": documents.decision_document(label()),
        "checks": written.document,
        "histories": entry_document(
            label().page_id, Entry(place="2026.11", labels=held.labels, mark=mark_of(held.item)), signed(1)
        ),
    }[kind]
    mappings = template(kind)["template"]["mappings"]
    assert template(kind)["version"] == mappings["_meta"]["version"]
    names = declared(mappings["properties"])
    assert mappings["dynamic"] == "strict"
    assert document is not None
    assert used(document, names) <= names


@pytest.mark.parametrize("prefix", ["", "Upper", "-x", "a b", "a*", "a/b"])
def test_prefix_that_cannot_name_an_index_is_refused(prefix: str) -> None:
    with pytest.raises(StoreRejectedError, match="cannot begin an index name"):
        Indices(prefix)


@pytest.mark.parametrize(
    ("first_seen_at", "place"),
    [
        (NOON, "2026.11"),
        (later(days=-24), "2026.10"),
        (datetime(2026, 10, 31, 23, 59, 59, 999999, tzinfo=UTC), "2026.10"),
        (datetime(2026, 11, 1, 1, 0, tzinfo=timezone(timedelta(hours=2))), "2026.10"),
        (later(days=900), "2026.11"),
        (datetime(1970, 1, 1, tzinfo=UTC), "2020.01"),
    ],
)
def test_place_is_the_month_in_utc_and_near_where_a_clock_was_wrong(first_seen_at: datetime, place: str) -> None:
    assert month_of(first_seen_at, NOON) == place


def test_clock_that_was_not_set_puts_pages_in_the_earliest_month() -> None:
    assert month_of(NOON, datetime(1970, 1, 1, tzinfo=UTC)) == "2020.01"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", [FIRST, "2026.11"])
def test_names_of_indices_are_read_back(kind: Kind, place: str) -> None:
    indices = Indices("guide.watch-1")
    assert indices.parsed(indices.index(kind, 12, place)) == (kind, 12, place)


@pytest.mark.parametrize(
    "name", ["other-items-v1-000001", "guidewatch-items", "guidewatch-items-v1-x", "items-v1-000001"]
)
def test_other_names_are_not_ours(name: str) -> None:
    assert Indices("guidewatch").parsed(name) is None


def test_entry_is_read_back() -> None:
    held = with_labels(with_event(Held(), judged(minhash=signed(1)), NOON), [label()])
    assert held.item is not None
    entry = Entry(place="2026.11", labels=held.labels, mark=mark_of(held.item))
    assert entry_of(entry_document(held.item.page_id, entry, held.item.minhash)) == entry
    assert entry_of(entry_document(held.item.page_id, Entry(), "")) == Entry()


def test_fields_that_are_missing_are_found_at_any_depth() -> None:
    there = {"a": {"type": "date"}, "b": {"properties": {"c": {"type": "long"}}}}
    wanted = {"a": {"type": "keyword"}, "b": {"properties": {"c": {"type": "long"}, "d": {"type": "date"}}}, "e": {}}
    assert missing(wanted, there) == {"b": {"properties": {"d": {"type": "date"}}}, "e": {}}
    assert missing(there, there) == {}
