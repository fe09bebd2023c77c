"""The alert rules and the metrics, as Prometheus itself sees them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from guidewatch.metrics.process import Endpoint, Process
from tests.servers.maven import MissingServerError
from tests.servers.promtool import promtool
from tests.unit.guidewatch.metrics.samples import every_process

ROOT = Path(__file__).parents[3]
SCENARIOS = "tests/integration/guidewatch/alerts_test.yml"


@pytest.fixture(scope="module")
def program() -> Path:
    try:
        return promtool()
    except MissingServerError as error:
        pytest.fail(str(error), pytrace=False)


def checked(program: Path, *arguments: str, stdin: bytes = b"") -> tuple[int, str]:
    done = subprocess.run([program, *arguments], cwd=ROOT, input=stdin, capture_output=True, check=False)
    return done.returncode, (done.stdout + done.stderr).decode()


def test_rules_and_the_example_of_a_scrape_are_well_formed(program: Path) -> None:
    status, said = checked(program, "check", "config", "dashboards/prometheus/prometheus.yml")
    assert status == 0, said
    assert "rules found" in said


def test_alerts_fire_when_they_should_and_not_otherwise(program: Path) -> None:
    status, said = checked(program, "test", "rules", SCENARIOS)
    assert status == 0, said


def test_every_alert_has_a_scenario(program: Path) -> None:
    rules = (ROOT / "dashboards/prometheus/alerts.yml").read_text("utf-8")
    names = {line.split()[-1] for line in rules.splitlines() if "- alert:" in line}
    tried = (ROOT / SCENARIOS).read_text("utf-8")
    assert {name for name in names if f'"{name}"' not in tried} == set()


@pytest.mark.parametrize("process", every_process(), ids=lambda process: process.stage)
def test_no_metric_offends_prometheus(program: Path, process: Process) -> None:
    shown = Endpoint(process).answer("/metrics", "").body
    assert checked(program, "check", "metrics", stdin=shown) == (0, "")
