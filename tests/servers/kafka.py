"""A real Kafka broker for the tests, from Maven artifacts, without Docker.

One node in KRaft mode, on free ports of loopback, its data in a temporary folder. The jars are fetched once into
``.cache/servers``. ``GUIDEWATCH_TEST_KAFKA`` (``host:port``) points the tests at a running broker instead.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers.maven import MissingServerError, java_home, locked_cache, maven

with warnings.catch_warnings():
    # On import, kafka-python reads its schemas through functions that importlib.resources deprecated in 3.11 (and took
    # back into favour in 3.13).
    warnings.filterwarnings("ignore", "(open|read)_text is deprecated", DeprecationWarning)
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

VERSION = "4.3.1"
START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 20.0

PROJECT = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>guidewatch</groupId><artifactId>test-kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
"""

SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
log.dirs={folder}/data
num.partitions=1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.enable=false
controlled.shutdown.enable=false
"""


class KafkaServer:
    """A broker of one test run: ``stop`` and ``start`` keep its port and its data.

    Parameters
    ----------
    folder
        For its settings, data and log.
    heap
        Size of the Java heap, as in ``-Xmx``.
    """

    def __init__(self, folder: Path, *, heap: str = "512m") -> None:
        self._folder = folder
        self._java = java_home() / "bin" / "java"
        self._jars = _jars()
        self._heap = heap
        self._process: subprocess.Popen[bytes] | None = None
        port, controller_port = free_ports(2)
        self.bootstrap = f"127.0.0.1:{port}"
        self.options: dict[str, Any] = {"bootstrap_servers": self.bootstrap}
        self.settings = SETTINGS.format(folder=folder, port=port, controller_port=controller_port)
        self.format_options: list[str] = []

    def start(self) -> None:
        """Start the broker and return when it answers.

        Raises
        ------
        MissingServerError
            It does not answer in time, or it ends.
        """
        if not (self._folder / "data").exists():
            (self._folder / "server.properties").write_text(self.settings)
            self._format()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command("kafka.Kafka", f"{self._folder}/server.properties"),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _answers(self.bootstrap, self.options):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise MissingServerError("Kafka does not start:\n" + self._last_lines())
            time.sleep(0.1)

    def stop(self, *, at_once: bool = False) -> None:
        """End the broker: in good order, or with ``at_once`` as a power cut does."""
        process, self._process = self._process, None
        if process is None:
            return
        if not at_once:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                at_once = True
        if at_once:
            process.kill()
        process.wait()

    @property
    def _log(self) -> Path:
        return self._folder / "broker.log"

    def _command(self, *arguments: str) -> list[str]:
        options = [f"-Xmx{self._heap}", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        return [str(self._java), *options, "-cp", f"{self._jars}/*", *arguments]

    def _format(self) -> None:
        arguments = ["format", "-t", "Z3VpZGV3YXRjaC10ZXN0cw", "-c", f"{self._folder}/server.properties"]
        arguments += self.format_options
        done = subprocess.run(
            self._command("kafka.tools.StorageTool", *arguments), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise MissingServerError(f"Kafka cannot format its folder: {(done.stderr or done.stdout).strip()[-500:]}")

    def _last_lines(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])


@contextmanager
def running_kafka(*, heap: str = "512m") -> Iterator[KafkaServer]:
    """Start a broker of its own, yield it when it answers, and end it, whatever happens in between.

    Raises
    ------
    MissingServerError
        Java or Maven is missing, the jars cannot be had, or the broker does not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="guidewatch-kafka-"))
    try:
        server = KafkaServer(folder, heap=heap)
        try:
            server.start()
            yield server
        finally:
            server.stop(at_once=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """Yield ``host:port`` of the session's broker; a missing Java or Maven fails the test with one line."""
    given = os.environ.get("GUIDEWATCH_TEST_KAFKA")
    if given:
        yield given
        return
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_kafka())
        except MissingServerError as error:
            pytest.fail(str(error), pytrace=False)
        yield server.bootstrap


@pytest.fixture
def kafka_prefix() -> str:
    """Return a topic prefix of this test's own."""
    return f"test-{secrets.token_hex(6)}"


def _jars() -> Path:
    with locked_cache("kafka") as cache:
        home = cache / f"kafka-{VERSION}"
        if not home.exists():
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                project = Path(folder) / "pom.xml"
                project.write_text(PROJECT)
                maven("copy-dependencies", "-f", str(project), f"-DoutputDirectory={folder}/jars")
                (Path(folder) / "jars").rename(home)
    return home


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody uses now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _answers(bootstrap: str, options: dict[str, Any]) -> bool:
    host, _, port = bootstrap.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    try:
        client = KafkaAdminClient(**options, bootstrap_timeout_ms=5000, request_timeout_ms=5000)
    except KafkaError:
        return False
    try:
        return bool(client.describe_cluster()["brokers"])
    except KafkaError:
        return False
    finally:
        client.close()
