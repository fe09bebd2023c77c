"""The one contract of both stores.

A test module derives a class from `StoreContract`; the ``conftest.py`` beside it imports the fixtures of
`tests.contract.fixtures` and adds ``new_place`` (module scope), which returns a fresh `Place`.
"""

from __future__ import annotations

from tests.contract.checking import CheckingContract
from tests.contract.clustering import ClusteringContract
from tests.contract.deciding import DecidingContract
from tests.contract.reading import CountingContract, LedgerContract, SearchContract, WalkingContract
from tests.contract.removing import RemovingContract
from tests.contract.writing import WritingContract


class StoreContract(
    WritingContract,
    CheckingContract,
    ClusteringContract,
    DecidingContract,
    SearchContract,
    WalkingContract,
    CountingContract,
    LedgerContract,
    RemovingContract,
):
    """Every promise in the docstrings of `storage.port`."""
