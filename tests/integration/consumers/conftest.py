"""A backbone for one test: its own topics on the session's broker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.consumers.backbone import Backbone


@pytest.fixture
def backbone(kafka_bootstrap: str, kafka_prefix: str) -> Iterator[Backbone]:
    with Backbone.made(kafka_bootstrap, kafka_prefix) as made:
        yield made
