"""`make chaos` in short: everything that can end, ends under load, and nothing is lost or doubled."""

from __future__ import annotations

import pytest

from tests.chaos.load import Mix
from tests.chaos.run import Options, run
from tests.chaos.schedule import Amounts

SHORT = Options(
    seed=6,
    pages=500,
    rate=20.0,
    crawled=200,
    workers={"classify": 2, "index": 1, "label": 1, "evidence": 1, "spider": 1},
    amounts=Amounts(kills=8, kafka_restarts=1, elasticsearch_stops=1, elasticsearch_away_s=5.0, hangs=0, rebalances=0),
    mix=Mix(poison_every=50),
    settle_s=150.0,
    texts=10,
)


@pytest.mark.timeout(400)
def test_kills_restarts_and_poison_lose_and_double_nothing() -> None:
    report = run(SHORT, print)
    assert report.problems == [], report.table()
    assert report.done["kill"] == 8
    assert report.done["kafka-kill"] == report.done["elasticsearch-stop"] == 1
    assert report.figures["dead letters"] >= 10
    assert report.figures["pages"] >= 700
