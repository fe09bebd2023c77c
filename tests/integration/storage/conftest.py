"""The contract's fixtures, on a real Elasticsearch server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from storage.elastic import ElasticStore
from tests.contract.fixtures import Place, another_store, clock, four, shared_stores, six, store
from tests.servers.elasticsearch import ElasticsearchServer, own_prefix

__all__ = ["another_store", "clock", "four", "new_place", "shared_stores", "six", "store"]


@pytest.fixture(scope="module")
def new_place(elasticsearch_server: ElasticsearchServer) -> Callable[[ExitStack], Place]:
    def make(stack: ExitStack) -> Place:
        prefix = stack.enter_context(own_prefix(elasticsearch_server))
        return lambda clock: ElasticStore(elasticsearch_server.client_options(), prefix=prefix, clock=clock)

    return make
