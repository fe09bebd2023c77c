import re
import shlex
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from guidewatch.cli import app

README = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
ROOT_COMMAND = typer.main.get_command(app)


def leaves(command, path=()):
    for name, sub in getattr(command, "commands", {}).items():
        if hasattr(sub, "commands"):
            yield from leaves(sub, (*path, name))
        else:
            yield (*path, name), sub


COMMANDS = dict(leaves(ROOT_COMMAND))


def test_the_commands_of_the_design_are_there():
    assert {" ".join(path) for path in COMMANDS} >= {
        "demo",
        "run",
        "crawl start",
        "crawl info",
        "crawl stop",
        "work",
        "setup",
        "score",
        "train",
        "review",
        "feed build",
        "status",
    }


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_option_explains_itself(path):
    command = COMMANDS[path]
    assert command.help
    assert CliRunner().invoke(app, [*path, "--help"]).exit_code == 0
    assert [parameter.name for parameter in command.params if not getattr(parameter, "help", None)] == []


@pytest.mark.parametrize("line", re.findall(r"(?:^\$ |& +)?(guidewatch [a-z][^`&\n#]*)", README))
def test_every_command_in_the_readme_is_valid(line):
    words = shlex.split(line)[1:]
    command = ROOT_COMMAND
    with click.Context(command) as context:
        while hasattr(command, "commands"):
            command = command.get_command(context, words.pop(0))
            assert command is not None, line
    command.make_context(line, [word for word in words if word != "…"])


def test_a_wrong_option_is_the_users_mistake():
    result = CliRunner().invoke(app, ["run", "--no-such-option"])
    assert result.exit_code == 2
