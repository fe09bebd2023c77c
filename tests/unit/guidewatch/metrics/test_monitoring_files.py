"""The dashboard, the alert rules and the example of a scrape speak of metrics, labels and sections that exist."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

from guidewatch import settings
from guidewatch.metrics.process import Endpoint
from tests.unit.guidewatch.metrics.samples import every_process

ROOT = Path(__file__).parents[4]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "dashboards/prometheus/alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "dashboards/grafana/guidewatch.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = {rule["alert"]: rule["expr"] for rule in RULES} | {
    f"{panel['title']} {target['refId']}": target["expr"].replace("$__rate_interval", "1m")
    for panel in PANELS
    for target in panel["targets"]
}
OF_PROMETHEUS = {"up": {"job", "instance"}}
OF_EVERY_SAMPLE = {"job", "instance"}
STAGES = {"spider", "classify", "index", "label", "evidence", "embedded", "review"}


def exposed() -> dict[str, set[str]]:
    """Return the labels of every metric that a process of ours shows, by the name of its samples."""
    found: dict[str, set[str]] = defaultdict(set, OF_PROMETHEUS)
    for process in every_process():
        for line in Endpoint(process).answer("/metrics", "").body.decode().splitlines():
            if not line.startswith("#"):
                name, labels = re.fullmatch(r"(\w+)(?:\{(.*)\})? \S+", line).groups()
                found[name] |= OF_EVERY_SAMPLE | set(re.findall(r'(\w+)="', labels or ""))
    return found


EXPOSED = exposed()


def nodes(expression: str) -> list[Any]:
    found: list[Any] = []
    promql.walk(promql.parse(expression), lambda node: found.append(node) or True)
    return found


def selectors(expression: str) -> Iterator[promql.VectorSelector]:
    return (node for node in nodes(expression) if isinstance(node, promql.VectorSelector))


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_expression_asks_for_metrics_and_labels_that_are_shown(name: str) -> None:
    labels: set[str] = set()
    for selector in selectors(EXPRESSIONS[name]):
        assert selector.name in EXPOSED
        labels |= EXPOSED[selector.name]
        asked = {matcher.name: matcher.value for matcher in selector.matchers.matchers}
        assert asked.keys() <= EXPOSED[selector.name]
        assert set(asked.get("stage", "index").split("|")) <= STAGES
    assert labels
    for node in nodes(EXPRESSIONS[name]):
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            assert set(node.modifier.labels) <= labels


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_counters_are_asked_for_rates_and_gauges_are_not(name: str) -> None:
    for node in nodes(EXPRESSIONS[name]):
        if isinstance(node, promql.Call) and node.func.name in ("rate", "increase"):
            (inner,) = [one.name for argument in node.args for one in selectors(str(argument))]
            assert inner.endswith(("_total", "_bucket"))
    rated = len(re.findall(r"(rate|increase)\(", EXPRESSIONS[name]))
    counters = [one for one in selectors(EXPRESSIONS[name]) if one.name.endswith(("_total", "_bucket"))]
    assert len(counters) == rated


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"Guidewatch[A-Z]\w+", rule["alert"])
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert promql.parse_duration(rule.get("for", "1m")).total_seconds() > 0
    assert rule["labels"] in ({"severity": "warning"}, {"severity": "critical"})
    summary = rule["annotations"]["summary"]
    assert len(summary) > 20
    kept = set(re.findall(r"\$labels\.(\w+)", summary))
    grouped = {
        label
        for node in nodes(rule["expr"])
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None
        for label in node.modifier.labels
    }
    assert kept <= grouped | ({"stage"} if "absent(" in rule["expr"] else set()) | OF_EVERY_SAMPLE
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert anchor in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_alerts_have_names_of_their_own_and_cover_what_may_go_wrong() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))
    asked = {selector.name for rule in RULES for selector in selectors(rule["expr"])}
    assert asked >= {
        "up",
        "guidewatch_stage_lag_messages",
        "guidewatch_stage_dead_letters_total",
        "guidewatch_stage_transactions_total",
        "guidewatch_page_latency_seconds_bucket",
        "guidewatch_store_up",
        "guidewatch_stage_outcomes_total",
        "process_resident_memory_bytes",
    }


def test_every_metric_of_ours_is_documented_and_no_other() -> None:
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    documented = set(re.findall(r"`(guidewatch_[a-z_]+)`", text)) - {
        f"guidewatch_{role}" for role in ("setup", "writer", "analyst", "feed_builder", "feed_reader", "ledger_reader")
    }
    shown = {re.sub(r"_(bucket|count|sum)$", "", name) for name in EXPOSED if name.startswith("guidewatch_")}
    assert documented == shown


def test_the_dashboard_can_be_imported() -> None:
    assert DASHBOARD["schemaVersion"] >= 36
    assert DASHBOARD["uid"] == "guidewatch"
    assert "id" not in DASHBOARD  # Grafana gives one
    (variable,) = DASHBOARD["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in PANELS:
        places = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert places == [{"type": "prometheus", "uid": "${datasource}"}] * len(places)
        assert panel["title"]
        assert panel["description"]
        assert panel["type"] in ("timeseries", "stat")
        letters = [target["refId"] for target in panel["targets"]]
        assert len(letters) == len(set(letters)) > 0


def test_no_panel_lies_over_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken
        taken |= cells


def test_the_example_scrapes_the_services_of_the_compose_file_at_their_port() -> None:
    example = yaml.safe_load((ROOT / "dashboards/prometheus/prometheus.yml").read_text("utf-8"))
    assert [(ROOT / "dashboards/prometheus" / name).is_file() for name in example["rule_files"]] == [True]
    (job,) = example["scrape_configs"]
    assert job["job_name"] == "guidewatch"
    (found,) = job["dns_sd_configs"]
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    for name in found["names"]:
        assert int(services[name]["environment"]["GUIDEWATCH_METRICS_PORT"]) == found["port"]
    assert "GUIDEWATCH_METRICS_PORT" in settings.names()
