"""Fixtures of the contract, on top of a ``new_place`` that says where a store can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from storage.port import Store
from tests.contract.reading import filled_with_four, filled_with_six
from tests.contract.samples import Clock

Place = Callable[[Clock], Any]
"""Opens a store on one file or under one prefix, the same one at every call."""

NewPlace = Callable[[ExitStack], Place]
"""Returns a place that nothing else uses; what it needs to clean up goes onto the stack."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def another_store(new_place: NewPlace, clock: Clock) -> Iterator[Callable[[], Any]]:
    """Yield a function that opens one more store on the place of this test."""
    with ExitStack() as stack:
        place = new_place(stack)
        yield lambda: stack.enter_context(closing(place(clock)))


@pytest.fixture
def store(another_store: Callable[[], Any]) -> Any:
    """Return a store that is set up and empty."""
    made = another_store()
    made.setup()
    return made


@pytest.fixture(scope="module")
def shared_stores(new_place: NewPlace) -> Iterator[Callable[[], Store]]:
    """Yield a function that opens a store, each on a place of its own, for all tests of the module."""
    with ExitStack() as stack:

        def new_store() -> Store:
            made: Store = stack.enter_context(closing(new_place(stack)(Clock())))
            made.setup()
            return made

        yield new_store


@pytest.fixture(scope="module")
def six(shared_stores: Callable[[], Store]) -> Store:
    """Return a store with six items, one in each language, which tests only read."""
    return filled_with_six(shared_stores())


@pytest.fixture(scope="module")
def four(shared_stores: Callable[[], Store]) -> Store:
    """Return a store with four different items, which tests only read."""
    return filled_with_four(shared_stores())
