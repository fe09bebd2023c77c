"""One run: servers, workers, load, faults, and at the end the question whether anything was lost or doubled."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

import classifier
from storage import StoreRejectedError, StoreUnavailableError
from tests.chaos import crawling
from tests.chaos.checking import Expected, Observed, problems
from tests.chaos.faults import Faults
from tests.chaos.installation import Bodies, Installation, installed, now
from tests.chaos.load import Load, Mix
from tests.chaos.observing import observe
from tests.chaos.report import Report
from tests.chaos.schedule import STAGES, Amounts, schedule
from tests.chaos.sending import Sender
from tests.chaos.texts import sure_texts
from tests.e2e import processes

Say = Callable[[str], None]
_LOOK_EVERY_S = 5.0
_SAY_EVERY_S = 10.0
_CRAWL_SHARE = 0.7
"""Of the load, the crawl lasts so long."""


@dataclass(frozen=True)
class Options:
    """How long, how hard.

    Parameters
    ----------
    pages, rate
        Synthetic pages, and how many a second.
    crawled
        Further pages, about, which come through spiders.
    workers
        Of each stage at the beginning.
    settle_s
        How long all may take to come to rest after the load.
    texts
        Different texts of each outcome.
    logs
        Where to keep what the workers say.
    """

    seed: int = 1
    pages: int = 20_000
    rate: float = 20.0
    crawled: int = 1_000
    workers: Mapping[str, int] = field(
        default_factory=lambda: {"classify": 3, "index": 2, "label": 2, "evidence": 2, "spider": 2}
    )
    amounts: Amounts = field(default_factory=Amounts)
    mix: Mix = field(default_factory=Mix)
    settle_s: float = 900.0
    texts: int = 60
    logs: Path | None = None

    @property
    def duration_s(self) -> float:
        return self.pages / self.rate


def run(options: Options, say: Say) -> Report:
    """Carry out one run and return its report."""
    texts, model = sure_texts(classifier.load(), options.seed, options.texts)
    say("texts: " + ", ".join(f"{len(some)} {outcome}" for outcome, some in texts.items()))
    with installed(options.logs) as on, crawling.served(texts, options.crawled) as web:
        bodies = Bodies(on.folder)
        load = Load(options.seed, texts, bodies.keep, now, options.mix, Expected(model=model, crawled=web.page_ids))
        for stage in STAGES:
            for number in range(options.workers[stage]):
                on.workers.add(stage, keeps_name=number % 2 == 0)
        on.wait_for_workers()
        crawling.start(on.options, on.topics, web.plan(on.folder, options.duration_s * _CRAWL_SHARE))
        planned = schedule(options.seed, options.duration_s, options.amounts)
        faults = Faults(on, planned, Random(f"{options.seed}/victims"), say)
        sender = Sender(load, on.options, on.topics, options.pages, options.rate)
        report = Run(options, on, load, faults, sender, say).report()
        bodies.close()
    return report


@dataclass
class Run:
    """What one run consists of once everything is there."""

    options: Options
    on: Installation
    load: Load
    faults: Faults
    sender: Sender
    say: Say
    began_s: float = 0.0
    said_at_s: float = 0.0

    def report(self) -> Report:
        """Send the load while the faults are made, wait until all is at rest, and return what is wrong."""
        report = Report(self.options.seed, self.faults.done)
        self.began_s = time.monotonic()
        self.sender.start()
        while self.sender.is_alive() or self.sender.analyst.is_alive() or not self.faults.at_rest:
            self._tick()
        report.figures["load, s"] = round(self._elapsed_s)
        self._settle()
        report.figures["in all, s"] = round(self._elapsed_s)
        report.figures["decisions told to be made again"] = self.sender.analyst.refused
        report.status = self._status()
        self.on.workers.end()
        report.exits = [asdict(one) for one in self.on.workers.exits]
        report.tracebacks = self.on.workers.tracebacks()
        observed = self._observed()
        report.count(self.load.expected, observed)
        report.problems = self._wrong(observed)
        return report

    @property
    def _elapsed_s(self) -> float:
        return time.monotonic() - self.began_s

    def _tick(self) -> None:
        self.faults.tick(self._elapsed_s)
        if time.monotonic() - self.said_at_s > _SAY_EVERY_S:
            self.said_at_s = time.monotonic()
            self._progress()
        time.sleep(0.1)

    def _progress(self) -> None:
        try:
            self.on.store.refresh()
            rows = str(sum(self.on.store.ledger_counts().values()))
        except (StoreUnavailableError, StoreRejectedError):
            rows = "?"
        self.say(
            f"{self._elapsed_s:5.0f} s: sent {self.sender.sent}, in the ledger {rows}, "
            f"kills {self.faults.done['kill']}, ended by themselves {len(self.on.workers.exits)}"
        )

    def _settle(self) -> None:
        """Wait until everything is where it belongs, or for so long at the most."""
        deadline = time.monotonic() + self.options.settle_s
        look_at = time.monotonic()
        while time.monotonic() < deadline:
            self.faults.tick(self._elapsed_s)
            if time.monotonic() >= look_at:
                wrong = problems(self.load.expected, self._observed())
                missing = "; ".join(line.partition(":")[0] for line in wrong)
                self.say(f"{self._elapsed_s:5.0f} s: settling: {missing or 'all is there'}")
                if not wrong and crawling.has_ended(self.on.options, self.on.topics):
                    return
                look_at = time.monotonic() + _LOOK_EVERY_S
            time.sleep(0.1)

    def _observed(self) -> Observed:
        return observe(self.on.options, self.on.topics, self.on.store, self.on.vault)

    def _status(self) -> list[str]:
        """Return what `guidewatch status` finds wrong; that others than spiders write to pages.found is right."""
        done = processes.run("status", "--json", extra=self.on.settings)
        try:
            found: list[str] = json.loads(done.stdout)["problems"]
        except (ValueError, KeyError):
            return [f"exit status {done.returncode}: {done.stderr.strip()[-300:]}"]
        return found

    def _wrong(self, observed: Observed) -> list[str]:
        """Return everything that is wrong when nobody writes any longer."""
        found = problems(self.load.expected, observed)
        if not crawling.has_ended(self.on.options, self.on.topics):
            found.append("the crawl has not ended")
        if self.sender.error is not None:
            found.append(f"the load could not be sent: {self.sender.error!r}")
        if self.sender.sent < self.options.pages:
            found.append(f"{self.options.pages - self.sender.sent} pages were never sent")
        slow = [f"{worker} did not end within 10 s of SIGTERM" for worker in self.on.workers.slow_to_leave]
        return [*found, *slow, *self.faults.failures]
