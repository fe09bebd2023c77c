"""Fixtures of all tests: each module of ``tests/servers`` starts one real server."""

import pytest

pytest.register_assert_rewrite("tests.contract")

pytest_plugins = ["tests.servers.browser", "tests.servers.kafka", "tests.servers.elasticsearch"]
