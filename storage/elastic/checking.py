"""The checks of pages: one document each, which is never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from storage.elastic.bulk import Operation
from storage.values import Check

NEWEST_FIRST = [{"@timestamp": "desc"}]
CHECKED = {"exists": {"field": "guidewatch.check_state"}}
"""Ledger rows of pages that were checked."""


def operations(checks: Iterable[tuple[str, Check]]) -> list[Operation]:
    """Return the writes of checks, each to an alias; one that is there already is a conflict, and stays as it is."""
    return [
        Operation(
            index=index,
            id=f"{check.page_id}.{check.at.timestamp():.6f}",
            document=check_document(check),
            seq_no=None,
        )
        for index, check in checks
    ]


def of_page(page_id: str) -> dict[str, Any]:
    """Return the query for the checks of a page."""
    return {"term": {"guidewatch.page_id": page_id}}


def check_of(source: Mapping[str, Any]) -> Check:
    """Return the check in a document."""
    status = source.get("http", {}).get("response", {}).get("status_code")
    return msgspec.convert({**source["guidewatch"], "at": source["@timestamp"], "status": status}, Check)


def check_document(check: Check) -> dict[str, Any]:
    """Return the document of a check."""
    fields = msgspec.to_builtins(check)
    names = ("page_id", "state", "reason", "content_id")
    document: dict[str, Any] = {
        "@timestamp": fields["at"],
        "guidewatch": {name: fields[name] for name in names if fields[name] is not None},
    }
    if check.status is not None:
        document["http"] = {"response": {"status_code": check.status}}
    return document
