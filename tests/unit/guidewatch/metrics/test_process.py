from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from guidewatch.metrics.process import Endpoint, Process
from guidewatch.metrics.store_probe import StoreProbe
from storage import StoreUnavailableError
from tests.unit.guidewatch.metrics.samples import every_process, values

ALLOWED_LABELS = {"stage", "state", "topic", "partition", "outcome", "language", "result", "since", "le"} | {
    "model",
    "version",
    "status",
    "decision",
}


def process(alive: str = "", ready: str = "", store: StoreProbe | None = None) -> Process:
    return Process("index", lambda: alive, lambda: ready, [], store)


@pytest.mark.parametrize("one", every_process(), ids=lambda one: one.stage)
@pytest.mark.parametrize(
    ("accept", "read"), [("", plain_text), ("application/openmetrics-text; version=1.0.0", open_metrics)]
)
def test_every_process_shows_metrics_that_prometheus_reads(one: Process, accept: str, read: Any) -> None:
    answer = Endpoint(one).answer("/metrics", accept)
    assert answer.status == 200
    families = list(read(answer.body.decode()))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    assert {"guidewatch_build_info", "process_resident_memory_bytes"} <= set(names)
    assert all(family.documentation for family in families)
    labels = {label for family in families for sample in family.samples for label in sample.labels}
    assert labels <= ALLOWED_LABELS


def test_probes_say_ok_or_one_line_of_what_is_wrong() -> None:
    well = Endpoint(process())
    assert [well.answer(path, "").status for path in ("/healthz", "/readyz")] == [200, 200]
    assert well.answer("/readyz?verbose=1", "").body == b"ok\n"
    ill = Endpoint(process("the loop\nhas not turned", "waiting: " + "x" * 500))
    assert (ill.answer("/healthz", "").status, ill.answer("/healthz", "").body) == (503, b"the loop has not turned\n")
    assert ill.answer("/readyz", "").status == 503
    assert len(ill.answer("/readyz", "").body) <= 201


@pytest.mark.parametrize(
    "path", ["/", "", "/metrics/", "//metrics", "/metrics/../healthz", "/favicon.ico", "*", "healthz"]
)
def test_nothing_else_is_there(path: str) -> None:
    assert Endpoint(process()).answer(path, "").status == 404


def test_a_store_that_does_not_answer_keeps_a_process_from_being_ready_and_not_from_living() -> None:
    answers: list[Any] = ["green, 3 items", StoreUnavailableError("connection refused"), "red, 3 items"]

    def health() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    probe = StoreProbe("index", health)
    endpoint = Endpoint(process(store=probe))
    assert endpoint.answer("/readyz", "").body == b"the store has not answered yet\n"
    seen = []
    for _ in range(3):
        probe.look()
        found = values(probe.families())
        states = {key[2] for key, value in found.items() if key[0] == "guidewatch_store_health" and value}
        seen.append((endpoint.answer("/readyz", "").status, found["guidewatch_store_up", "index"], states))
    assert seen == [(200, 1, {"green"}), (503, 0, set()), (200, 1, {"red"})]
    assert endpoint.answer("/healthz", "").status == 200
