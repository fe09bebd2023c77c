from __future__ import annotations

from tests.contract.store_contract import StoreContract


class TestContract(StoreContract):
    """The contract on a real Elasticsearch server."""
