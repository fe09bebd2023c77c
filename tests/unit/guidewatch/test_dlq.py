from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from guidewatch.cli import app
from guidewatch.errors import UserMistakeError


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay"], "say which letters"),
        (["drop", "--reason", "x"], "say which letters"),
        (["drop", "--reason", " ", "--all-open"], "--reason is empty"),
        (["replay", "--all-open", "--force"], "--force needs the ids"),
        (["list", "--topic", "pages.lost"], "--topic 'pages.lost': take one of crawl.requests, pages.found"),
        (["list", "--since", "yesterday"], "--since 'yesterday': write 2026-11-28T14:00"),
        (["show", "pages.found.dlq/0/1", "--to", "-"], "say --to FILE"),
    ],
)
def test_mistakes_are_said_before_kafka_is_asked(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["dlq", *arguments])
    assert isinstance(result.exception, UserMistakeError)
    assert re.search(re.escape(said), str(result.exception))


def test_a_drop_needs_a_reason() -> None:
    assert CliRunner().invoke(app, ["dlq", "drop", "--all-open"]).exit_code == 2
