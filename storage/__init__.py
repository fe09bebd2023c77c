"""Items, ledger and decisions: one port (`storage.port`), two stores (SQLite, Elasticsearch)."""

from storage.port import (
    CHECK_STATES,
    Bucket,
    Check,
    CheckState,
    DecisionRecord,
    Item,
    ItemPage,
    ItemQuery,
    LedgerPage,
    LedgerQuery,
    LedgerRow,
    Store,
    StoreRejectedError,
    StoreUnavailableError,
    TimeBucket,
    UpsertReport,
)

__all__ = [
    "CHECK_STATES",
    "Bucket",
    "Check",
    "CheckState",
    "DecisionRecord",
    "Item",
    "ItemPage",
    "ItemQuery",
    "LedgerPage",
    "LedgerQuery",
    "LedgerRow",
    "Store",
    "StoreRejectedError",
    "StoreUnavailableError",
    "TimeBucket",
    "UpsertReport",
]
