"""Servers, topics, store and workers of one run, and a bare way into its WARC folder."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from consumers.topics import TopicPlan, ensure_topics
from crawlers.evidence import Exchange, WarcFiles
from events import Evidence, Topics
from storage.elastic import ElasticStore
from tests.chaos.schedule import STAGES
from tests.chaos.workers import Supervisor
from tests.servers.elasticsearch import ElasticsearchNode, elasticsearch_node
from tests.servers.kafka import KafkaServer, running_kafka

PREFIX = "chaos"


class Installation:
    """An installation on servers of its own.

    Parameters
    ----------
    kafka, node
        The servers, running.
    folder
        For WARC files, vault and logs.
    """

    def __init__(self, kafka: KafkaServer, node: ElasticsearchNode, folder: Path) -> None:
        self.kafka, self.node, self.folder = kafka, node, folder
        self.options = {"bootstrap_servers": kafka.bootstrap}
        self.topics = Topics(PREFIX)
        self.store = ElasticStore(node.server.client_options(), prefix=PREFIX)
        self.vault = folder / "vault"
        self.settings = {
            "GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "GUIDEWATCH_KAFKA_TOPIC_PREFIX": PREFIX,
            "GUIDEWATCH_ELASTICSEARCH_HOSTS": node.server.url,
            "GUIDEWATCH_ELASTICSEARCH_PREFIX": PREFIX,
            "GUIDEWATCH_EVIDENCE_WARC_DIR": str(folder / "warc"),
            "GUIDEWATCH_EVIDENCE_VAULT_DIR": str(self.vault),
        }
        self.workers = Supervisor(self.settings, folder / "logs", {"spider": ("--allow-private",)})

    def setup(self) -> None:
        """Make the topics and the indices."""
        ensure_topics(self.options, self.topics, TopicPlan(partitions=6))
        self.store.setup()

    def wait_for_workers(self, timeout_s: float = 180.0) -> None:
        """Return when every worker is in its group, or after so many seconds."""
        deadline = time.monotonic() + timeout_s
        admin = KafkaAdminClient(**self.options)
        try:
            while time.monotonic() < deadline and self._members(admin) < len(self.workers.workers):
                time.sleep(0.5)
        finally:
            admin.close()

    @staticmethod
    def _members(admin: KafkaAdminClient) -> int:
        try:
            found = admin.describe_groups([f"{PREFIX}.guidewatch-{stage}" for stage in STAGES])
        except KafkaError:
            return 0
        return sum(len(one["members"]) for one in found.values() if one["group_state"] == "Stable")


@contextmanager
def installed(logs: Path | None) -> Iterator[Installation]:
    """Start the servers in a temporary folder; end them and every worker, whatever happens in between.

    Parameters
    ----------
    logs
        Where what the workers say is kept; None: nowhere.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guidewatch-chaos-")))
        kafka = stack.enter_context(running_kafka())
        node = stack.enter_context(elasticsearch_node())
        node.start()
        installation = Installation(kafka, node, folder)
        if logs is not None:
            installation.workers.folder = logs
        stack.callback(installation.store.close)
        stack.callback(installation.workers.kill_all)
        installation.setup()
        yield installation


class Bodies:
    """Puts bodies into WARC files, as a spider does before it says that it has found a page."""

    def __init__(self, folder: Path) -> None:
        self._files = WarcFiles(folder / "warc", "load", software="chaos", clock=now)

    def keep(self, body: bytes) -> Evidence:
        """Return where the record stands."""
        return self._files.write(
            Exchange(
                url="http://site.example/",
                at=now(),
                ip_address="127.0.0.1",
                request_line="GET / HTTP/1.1",
                request_headers=[("Host", "site.example")],
                status_line="HTTP/1.1 200 OK",
                response_headers=[("Content-Type", "text/plain")],
                body=body,
            )
        )

    def close(self) -> None:
        self._files.close()


def now() -> datetime:
    return datetime.now(UTC)
