"""A broker that goes away and comes back under a worker that goes on.

The broker is the test's own, so that no other test suffers; the worker has a process of its own, since kafka-python
leaves the sockets of refused connections to the garbage collector, which is a warning here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.integration.consumers.backbone import Backbone, page, until
from tests.integration.consumers.processes import wait_for, worker
from tests.servers.kafka import KafkaServer, MissingServerError, running_kafka


@pytest.fixture
def server() -> Iterator[KafkaServer]:
    try:
        with running_kafka() as started:
            yield started
    except MissingServerError as error:
        pytest.fail(str(error), pytrace=False)


def found(backbone: Backbone, count: int) -> None:
    until(lambda: backbone.committed(backbone.topics.pages_found) == count, f"{count} pages")
    pages = sorted(page(number).page_id for number in range(count))
    assert sorted(one.page_id for one in backbone.events(backbone.topics.pages_judged)) == pages


def test_worker_outlives_a_broker_restart_and_ends_in_time_without_a_broker(server: KafkaServer) -> None:
    with Backbone.made(server.bootstrap, "restart", keep=True) as backbone:
        backbone.send(backbone.topics.pages_found, [page(number) for number in range(50)])
    with worker(backbone, "0", "never") as process:
        with Backbone.made(server.bootstrap, "restart", keep=True) as backbone:
            found(backbone, 50)
        server.stop(at_once=True)
        time.sleep(1.0)
        server.start()
        with Backbone.made(server.bootstrap, "restart", keep=True) as backbone:
            backbone.send(backbone.topics.pages_found, [page(number) for number in range(50, 150)])
            found(backbone, 150)
        server.stop()
        started = time.monotonic()
        process.terminate()
        assert wait_for(process, "ended").startswith("ended: 150 records, 150 outputs")
        assert process.wait(10) == 0
        assert time.monotonic() - started < 5.0
