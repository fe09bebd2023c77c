"""These tests run in an environment of their own, with PyTorch (`make test-transformers`), and reach no network."""

import os

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled):
    return socket_disabled
