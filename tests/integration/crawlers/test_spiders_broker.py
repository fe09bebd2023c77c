"""What a spider does when the broker itself hangs, or is started anew."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.crawlers.hosts import Web, served
from tests.integration.crawlers.spiders import Fleet, repeated
from tests.servers.kafka import KafkaServer, running_kafka


@contextmanager
def suspended(broker: KafkaServer) -> Iterator[None]:
    """Let the broker keep its connections and answer nothing."""
    assert broker._process is not None
    os.kill(broker._process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker._process.pid, signal.SIGCONT)


def test_a_spider_ends_within_5_s_when_the_broker_hangs_and_another_takes_up_its_work(tmp_path: Path) -> None:
    with running_kafka() as broker, served(Web(hosts=3, pages=20, pause_s=0.02)) as web:
        fleet = Fleet(broker.bootstrap, "hangs", tmp_path, partitions=3)
        with fleet.process("a") as spider:
            fleet.start(web.url(0), delay_s=0.1)
            while len(web.fetches()) < 10:
                time.sleep(0.05)
            with suspended(broker):
                time.sleep(1.0)
                spider.terminate()
                began = time.monotonic()
                assert spider.wait(6) == 0
                assert time.monotonic() - began < 5
        with fleet.process("b"):
            state = fleet.ended()
        assert state.outcomes == {"page": 60}
        assert repeated(fleet.published()) == {}
        assert web.fetches().keys() == web.urls


def test_a_crawl_goes_on_when_the_broker_has_been_started_anew(tmp_path: Path) -> None:
    with running_kafka() as broker, served(Web(hosts=3, pages=20, pause_s=0.02)) as web:
        fleet = Fleet(broker.bootstrap, "restarts", tmp_path, partitions=3)
        with fleet.process("a") as spider:
            fleet.start(web.url(0), delay_s=0.1)
            while len(web.fetches()) < 10:
                time.sleep(0.05)
            broker.stop(at_once=True)
            time.sleep(1.0)
            broker.start()
            state = fleet.ended()
            assert spider.poll() is None
        assert state.outcomes == {"page": 60}
        assert repeated(fleet.published()) == {}
        assert web.fetches().keys() == web.urls
