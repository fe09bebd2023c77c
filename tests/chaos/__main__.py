"""`make chaos`: is anything lost or doubled when everything that can end, ends at the worst moment?

Runs guidewatch on a Kafka broker and an Elasticsearch server of its own under a steady load, kills its processes, hangs
them, restarts the servers, sends poison, and then compares what is there with what was sent. Everything is on loopback
and in a temporary folder. The exit status is 1 where something is lost, doubled or wrong.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from tests.chaos.run import Options, run
from tests.chaos.schedule import Amounts


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    default, amounts = Options(), Amounts()
    parser.add_argument("--seed", type=int, default=default.seed, help="another seed, another run (%(default)s)")
    parser.add_argument("--pages", type=int, default=default.pages, help="synthetic pages (%(default)s)")
    parser.add_argument("--rate", type=float, default=default.rate, help="pages a second (%(default)s)")
    parser.add_argument("--crawled", type=int, default=default.crawled, help="pages through spiders (%(default)s)")
    parser.add_argument("--kills", type=int, default=amounts.kills, help="kill -9 of a worker (%(default)s)")
    parser.add_argument("--kafka-restarts", type=int, default=amounts.kafka_restarts, metavar="N",
                        help="restarts of Kafka, every second one by kill -9 (%(default)s)")  # fmt: skip
    parser.add_argument("--elasticsearch-stops", type=int, default=amounts.elasticsearch_stops, metavar="N",
                        help="times that Elasticsearch is away (%(default)s)")  # fmt: skip
    parser.add_argument("--away", type=float, default=amounts.elasticsearch_away_s, metavar="SECONDS",
                        help="how long Elasticsearch is away (%(default)s)")  # fmt: skip
    parser.add_argument("--hangs", type=int, default=amounts.hangs, help="workers that hang and wake (%(default)s)")
    parser.add_argument("--rebalances", type=int, default=amounts.rebalances, metavar="N",
                        help="workers that are added, and that leave (%(default)s each)")  # fmt: skip
    parser.add_argument("--settle", type=float, default=default.settle_s, metavar="SECONDS",
                        help="how long all may take to come to rest (%(default)s)")  # fmt: skip
    parser.add_argument("--logs", type=Path, metavar="DIR", help="keep what the workers say there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there, too")
    return parser


def main() -> int:
    given = _parser().parse_args()
    amounts = Amounts(
        kills=given.kills,
        kafka_restarts=given.kafka_restarts,
        elasticsearch_stops=given.elasticsearch_stops,
        elasticsearch_away_s=given.away,
        hangs=given.hangs,
        rebalances=given.rebalances,
    )
    options = Options(
        seed=given.seed,
        pages=given.pages,
        rate=given.rate,
        crawled=given.crawled,
        amounts=amounts,
        settle_s=given.settle,
        logs=given.logs,
    )
    signal.signal(signal.SIGTERM, _interrupt)
    report = run(options, _say)
    print(report.table())
    if given.json is not None:
        given.json.write_text(json.dumps(report.as_dict(), indent=1, default=str) + "\n")
    return 1 if report.problems else 0


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
