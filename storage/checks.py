"""What looking at a page again says of it: pure, and the same in both stores (ADR 0021)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from storage.merge import Held
from storage.values import Check, CheckState, LedgerRow

ONLINE: Mapping[CheckState, bool | None] = {
    "online": True,
    "changed": True,
    "gone": False,
    "unreachable": None,
    "refused": None,
}
"""Whether a page is there; None where the check cannot tell, so that what was known of it stays."""


UNKNOWN_PAGE = "the page is not in the ledger"


def admit_checks(checks: Iterable[Check]) -> tuple[dict[str, list[Check]], list[tuple[str, str]]]:
    """Return the valid checks by page, and (page id, reason) of the others."""
    taken: dict[str, list[Check]] = {}
    refused: list[tuple[str, str]] = []
    for check in checks:
        try:
            admitted = msgspec.convert(msgspec.to_builtins(check), Check)
        except (msgspec.MsgspecError, ValueError, TypeError, OverflowError) as error:
            refused.append((check.page_id, f"not a valid check: {error}"))
        else:
            taken.setdefault(admitted.page_id, []).append(admitted)
    return taken, refused


def with_checks(held: Held, checks: Iterable[Check]) -> Held:
    """Return what is held of a page after these checks of it; ``held`` itself if none is newer than the last."""
    ledger = held.ledger
    if ledger is None:
        return held
    row = ledger.row
    for check in sorted(checks, key=lambda check: check.at):
        row = _checked(row, check)
    if row is ledger.row:
        return held
    return msgspec.structs.replace(held, ledger=msgspec.structs.replace(ledger, row=row))


def _checked(row: LedgerRow, check: Check) -> LedgerRow:
    if row.checked_at is not None and row.checked_at >= check.at:
        return row
    online = ONLINE[check.state]
    return msgspec.structs.replace(
        row, checked_at=check.at, check_state=check.state, online=row.online if online is None else online
    )
