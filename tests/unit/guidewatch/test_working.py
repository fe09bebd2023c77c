"""How workers are told who they are."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from guidewatch.cli import app
from guidewatch.errors import UserMistakeError


@pytest.mark.parametrize(
    "arguments", [["classify", "--static"], ["spider", "--static", "--instance", "0"]], ids=["no instance", "spider"]
)
def test_static_membership_without_a_lasting_name_is_a_mistake(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, ["work", *arguments])
    assert isinstance(done.exception, UserMistakeError)
    assert "--static needs --instance" in str(done.exception)


def test_workers_do_not_fetch() -> None:
    done = CliRunner().invoke(app, ["work", "index", "--allow-private"])
    assert isinstance(done.exception, UserMistakeError)
    assert "index fetches nothing" in str(done.exception)
