"""The compose file speaks of settings and commands that exist."""

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
import typer
import yaml

from guidewatch import settings
from guidewatch.cli import app

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
OURS = {
    name: service for name, service in COMPOSE["services"].items() if service.get("image", "").startswith("guidewatch")
}


def test_every_stage_has_a_service():
    assert {"setup", "crawl", "spider", "classify", "index", "label", "evidence", "review"} <= OURS.keys()


@pytest.mark.parametrize("name", OURS)
def test_every_environment_name_is_a_setting(name):
    given = {variable for variable in OURS[name]["environment"] if variable.startswith("GUIDEWATCH_")}
    assert given
    assert given <= settings.names().keys()


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_of_the_command_line(name):
    command = typer.main.get_command(app)
    words = [str(word) for word in OURS[name]["command"]]
    with click.Context(command) as context:
        while isinstance(command, click.Group) or hasattr(command, "commands"):
            command = command.get_command(context, words.pop(0))
            assert command is not None
    made = command.make_context(name, words)
    assert made.params


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_nothing_listens_beyond_loopback_and_everything_has_a_memory_limit(name):
    service = COMPOSE["services"][name]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert service["mem_limit"]


@pytest.mark.parametrize("name", sorted(COMPOSE["services"].keys() - {"setup", "users", "crawl", "feed"}))
def test_what_runs_for_long_restarts_and_has_a_health_check(name):
    service = COMPOSE["services"][name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]


def test_no_password_has_a_default():
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    for variable in re.findall(r"\$\{([A-Z_]+)(?![A-Z_])([^}]*)\}", text):
        assert variable[1].startswith(":?") or variable[0] == "CRAWL_CONTACT"


@pytest.mark.parametrize("name", OURS)
def test_our_containers_have_no_capabilities(name):
    assert OURS[name]["cap_drop"] == ["ALL"]
    assert OURS[name]["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", OURS)
def test_nobody_is_the_superuser_and_users_have_the_roles_of_this_project(name):
    given = OURS[name]["environment"]
    user = given.get("GUIDEWATCH_ELASTICSEARCH_USERNAME")
    (_, _, script) = COMPOSE["services"]["users"]["entrypoint"]
    made = dict(re.findall(r'put (guidewatch-\w+) .*\\"roles\\": \[\\"(\w+)\\"', script))
    roles = yaml.safe_load((ROOT / "storage" / "elastic" / "security" / "roles.yml").read_text("utf-8"))
    assert set(made.values()) <= roles.keys()
    assert user is None or user in made


def test_make_env_writes_every_variable_once(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    subprocess.run(["make", "-s", "env"], cwd=tmp_path, check=True, capture_output=True)
    lines = (tmp_path / ".env").read_text().splitlines()
    written = dict(line.split("=", 1) for line in lines)
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    assert written.keys() == set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    secrets = [value for name, value in written.items() if name != "CRAWL_CONTACT"]
    assert len(set(secrets)) == len(secrets)
    assert all(len(value) >= 32 for value in secrets)
    again = subprocess.run(["make", "-s", "env"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "there already" in again.stderr
