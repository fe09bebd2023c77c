from __future__ import annotations

from typing import Any

import pytest

from storage.checks import with_checks
from storage.elastic import checking, documents
from storage.elastic.indices import KINDS, Indices, _template
from storage.merge import Held, with_event, with_labels, with_report
from storage.port import Check, StoreRejectedError
from tests.contract.samples import NOON, judged, label


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
    (written,) = checking.operations("checks", [check])
    assert held.item is not None
    assert held.ledger is not None
    document = {
        "items": documents.item_document(held.item),
        "ledger": documents.ledger_document(held.ledger),
        "decisions": documents.decision_document(label()),
        "checks": written.document,
        "histories": documents.history_document(label().page_id, held.labels),
    }[kind]
    mappings = _template(kind)["template"]["mappings"]  # type: ignore[arg-type]
    names = declared(mappings["properties"])
    assert mappings["dynamic"] == "strict"
    assert document is not None
    assert used(document, names) <= names


@pytest.mark.parametrize("prefix", ["", "Upper", "-x", "a b", "a*", "a/b"])
def test_prefix_that_cannot_name_an_index_is_refused(prefix: str) -> None:
    with pytest.raises(StoreRejectedError, match="cannot begin an index name"):
        Indices(prefix)
