"""Items, ledger and decisions: one port (`storage.port`), two stores (SQLite, Elasticsearch)."""

from storage.port import (
    Bucket,
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
    "Bucket",
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
