"""The operations manual speaks of settings, commands, files and alerts that exist."""

import re
from pathlib import Path

import pytest
import typer
import yaml

from guidewatch import settings
from guidewatch.cli import app

ROOT = Path(__file__).parents[3]
MANUAL = (ROOT / "docs" / "operations.md").read_text("utf-8")
ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / "dashboards" / "prometheus" / "alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
    if "alert" in rule
]


def anchors():
    """Return the anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", MANUAL, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_has_a_section_of_the_runbook_that_names_it(rule):
    file, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert file == "docs/operations.md"
    assert anchor in anchors()
    assert rule["alert"] in MANUAL


def test_every_alert_that_the_runbook_names_exists():
    assert set(re.findall(r"\bGuidewatch[A-Z]\w+", MANUAL)) <= {rule["alert"] for rule in ALERTS}


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", MANUAL):
        file, _, anchor = target.partition("#")
        assert not file or (ROOT / "docs" / file).exists(), target
        assert file or anchor in anchors(), target


def test_settings_exist():
    assert set(re.findall(r"GUIDEWATCH_[A-Z_]+[A-Z]", MANUAL)) <= settings.names().keys()


def test_commands_exist():
    known = {"guidewatch"} | set(typer.main.get_command(app).commands)
    for command in re.findall(r"(?:`|\$ )guidewatch ([a-z]+)", MANUAL):
        assert command in known, command
