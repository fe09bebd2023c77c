"""What a real process says of itself: while all is well, while a server is away, and to those who ask it oddly."""

from __future__ import annotations

import http.client
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from events import encode
from events.trace import started
from guidewatch.errors import UserMistakeError
from guidewatch.metrics.process import Endpoint, Process
from guidewatch.metrics.server import MAX_CONNECTIONS, MetricsServer
from tests.contract.samples import judged
from tests.e2e import processes
from tests.integration.consumers.backbone import Backbone
from tests.integration.guidewatch.gate import Gate, gate_before
from tests.servers.elasticsearch import ElasticsearchServer, own_prefix
from tests.servers.kafka import KafkaServer, running_kafka


class Probed:
    """A process with metrics, as its monitoring sees it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def samples(self) -> dict[tuple[str, ...], float]:
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(self.get("/metrics")[1])
            for sample in family.samples
        }

    def until_ready(self, status: int, why: str = "ok", within_s: float = 30) -> None:
        processes.wait_for(
            lambda: (found := self.get("/readyz"))[0] == status and re.search(why, found[1]),
            f"{status} {why}",
            timeout_s=within_s,
        )


@pytest.fixture
def kafka() -> Iterator[KafkaServer]:
    with running_kafka() as server:
        yield server


@pytest.fixture
def gate(elasticsearch_server: ElasticsearchServer) -> Iterator[Gate]:
    with gate_before(urlsplit(elasticsearch_server.url).port or 9200) as made:
        yield made


@pytest.fixture
def installation(kafka: KafkaServer, gate: Gate, elasticsearch_server: ElasticsearchServer) -> Iterator[dict[str, str]]:
    with own_prefix(elasticsearch_server) as prefix:
        yield {
            "GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "GUIDEWATCH_KAFKA_TOPIC_PREFIX": prefix,
            "GUIDEWATCH_ELASTICSEARCH_HOSTS": f"http://127.0.0.1:{gate.port}",
            "GUIDEWATCH_ELASTICSEARCH_PREFIX": prefix,
            "GUIDEWATCH_METRICS_PORT": "0",
        }


def test_a_stage_is_ready_while_its_servers_are_there_and_lives_without_them(
    installation: dict[str, str], kafka: KafkaServer, gate: Gate
) -> None:
    made = processes.run("setup", extra=installation)
    assert made.returncode == 0, made.stderr
    with ExitStack() as stack:
        process = stack.enter_context(processes.started("work", "index", extra=installation))
        assert process.stderr is not None
        stage = Probed(int(re.search(r"http://127\.0\.0\.1:(\d+)/metrics", process.stderr.readline())[1]))
        stage.until_ready(200)
        taken = processes.run("work", "label", extra=installation | {"GUIDEWATCH_METRICS_PORT": str(stage.port)})
        assert taken.returncode == 2
        assert re.fullmatch(rf"guidewatch: metrics cannot be shown at 127.0.0.1 port {stage.port}: .*\n", taken.stderr)

        prefix = installation["GUIDEWATCH_KAFKA_TOPIC_PREFIX"]
        topic = f"{prefix}.pages.judged"
        with Backbone.made(kafka.bootstrap, prefix, keep=True) as backbone:
            event = judged()
            found_at = ("guidewatch.found_at", str(round((time.time() - 1) * 1000)).encode())
            backbone.send_bytes(topic, b"no event", event.page_id, started("a" * 32))
            backbone.send(topic, [judged("two")])
            backbone.send_bytes(topic, encode(event), event.page_id, [found_at])
        processes.wait_for(lambda: stage.samples()["guidewatch_stage_records_total", "index"] == 3, "three records")
        shown = stage.samples()
        assert shown["guidewatch_stage_dead_letters_total", "index"] == 1
        assert shown["guidewatch_stage_outcomes_total", "en", "flagged", "index"] == 2
        assert shown["guidewatch_stage_transactions_total", "committed", "index"] >= 1
        assert shown["guidewatch_page_latency_seconds_count", "fetched", "index"] == 2
        assert 1 <= shown["guidewatch_page_latency_seconds_sum", "found", "index"] < 60
        assert {value for key, value in shown.items() if key[0] == "guidewatch_stage_lag_messages"} == {0}
        assert shown["guidewatch_store_up", "index"] == 1
        assert shown["guidewatch_stage_state", "index", "running"] == 1
        assert 1e7 < shown[("process_resident_memory_bytes",)] < 1e9

        gate.shut()
        stage.until_ready(503, "^store: ")
        assert stage.samples()["guidewatch_store_up", "index"] == 0
        gate.open()
        stage.until_ready(200)
        kafka.stop(at_once=True)
        stage.until_ready(503, "Kafka's coordinator of the group has not answered for 1[23] s", within_s=45)
        assert stage.get("/healthz") == (200, "ok\n")

        _, err = processes.stop(process)
        assert process.returncode == 0, err
        assert "trace_id=" + "a" * 32 in err
        with pytest.raises(ConnectionRefusedError):
            stage.get("/healthz")


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    made = MetricsServer(Endpoint(Process("index", str, str, [])), "127.0.0.1", 0)
    with made.running():
        yield made


def connected(server: MetricsServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.server_port), timeout=10)


def test_an_address_that_is_taken_is_the_users_mistake(server: MetricsServer) -> None:
    with pytest.raises(UserMistakeError, match=f"port {server.server_port}: .*GUIDEWATCH_METRICS_PORT"):
        MetricsServer(server.endpoint, "127.0.0.1", server.server_port)
    with pytest.raises(UserMistakeError, match=r"192\.0\.2\.1 port 0"):
        MetricsServer(server.endpoint, "192.0.2.1", 0)


def test_ipv6_is_served() -> None:
    with MetricsServer(Endpoint(Process("index", str, str, [])), "::1", 0) as made, made.running():
        assert made.url == f"http://[::1]:{made.server_port}"
        with socket.create_connection(("::1", made.server_port), timeout=5) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
            assert b" 200 " in client.recv(100)


def test_silent_clients_are_few_and_soon_gone(server: MetricsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidewatch.metrics.server.MAX_REQUEST_S", 3.0)
    with ExitStack() as stack:
        silent = [stack.enter_context(connected(server)) for _ in range(MAX_CONNECTIONS)]
        processes.wait_for(lambda: len(server._open) == MAX_CONNECTIONS, "all connections")
        refused = stack.enter_context(connected(server))
        assert gone(refused)
        for one in silent:
            one.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        assert all(gone(one) for one in silent)
        processes.wait_for(lambda: not server._open, "the end of all connections")
        assert Probed(server.server_port).get("/healthz")[0] == 200


def gone(client: socket.socket) -> bool:
    try:
        return client.recv(1000) == b""
    except ConnectionResetError:
        return True


def test_the_server_ends_at_once_although_somebody_is_connected() -> None:
    made = MetricsServer(Endpoint(Process("index", str, str, [])), "127.0.0.1", 0)
    with made.running():
        client = connected(made)
        processes.wait_for(lambda: made._open, "the connection")
        began = time.monotonic()
    assert time.monotonic() - began < 3
    with client:
        assert gone(client)
