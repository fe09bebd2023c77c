"""Does to an installation what the schedule says."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random

from tests.chaos.installation import Installation
from tests.chaos.schedule import Fault
from tests.servers.elasticsearch import ElasticsearchNode
from tests.servers.kafka import KafkaServer

Say = Callable[[str], None]


class Faults:
    """Makes the faults whose time has come, and keeps the workers running meanwhile.

    Parameters
    ----------
    installation
        What they are done to.
    schedule
        What and when.
    rng
        Chooses among the workers of a stage.
    say
        Is told what was done.
    """

    def __init__(self, installation: Installation, schedule: list[Fault], rng: Random, say: Say) -> None:
        self._on = installation
        self._due = list(schedule)
        self._rng = rng
        self._say = say
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._outages: list[threading.Thread] = []
        self._locks = {"kafka": threading.Lock(), "elasticsearch": threading.Lock()}
        self.done: Counter[str] = Counter()
        self.failures: list[str] = []
        """Servers that did not come back."""

    def tick(self, now_s: float) -> None:
        """Do what is due so many seconds after the beginning of the load."""
        self._on.workers.tick()
        while self._due and self._due[0].at_s <= now_s and self._do(self._due[0], now_s):
            self._due.pop(0)
        for one in [one for one in self._later if one[0] <= now_s]:
            self._later.remove(one)
            one[1]()

    @property
    def at_rest(self) -> bool:
        """Whether all has been done, and what was taken away is back."""
        return not self._due and not self._later and not any(thread.is_alive() for thread in self._outages)

    def _do(self, fault: Fault, now_s: float) -> bool:
        """Return whether it was done: where no worker of the stage runs just now, it has to wait."""
        if fault.kind == "join":
            self._note(fault, self._on.workers.add(fault.stage, keeps_name=self._rng.random() < 0.5).label)
            return True
        if not fault.stage:
            self._note(fault, f"for {fault.lasts_s:.0f} s")
            thread = threading.Thread(target=self._outage, args=(fault,), name=fault.kind, daemon=True)
            self._outages.append(thread)
            thread.start()
            return True
        there = self._on.workers.of(fault.stage)
        if len(there) < (2 if fault.kind == "leave" else 1):
            return False
        worker = self._rng.choice(there)
        self._note(fault, worker.label)
        if fault.kind == "kill":
            self._on.workers.kill(worker)
        elif fault.kind == "leave":
            self._on.workers.leave(worker)
        else:
            self._later.append((now_s + fault.lasts_s, self._on.workers.hang(worker)))
        return True

    def _note(self, fault: Fault, what: str) -> None:
        self.done[fault.kind] += 1
        if fault.kind == "kill":
            self.done[f"kill {fault.stage}"] += 1
        self._say(f"{fault.kind} {what}")

    def _outage(self, fault: Fault) -> None:
        name = fault.kind.partition("-")[0]
        server: KafkaServer | ElasticsearchNode = self._on.kafka if name == "kafka" else self._on.node
        with self._locks[name]:
            try:
                server.stop(at_once=fault.kind == "kafka-kill")
                time.sleep(fault.lasts_s)
                server.start()
                self._say(f"{name} is back")
            except Exception as error:  # noqa: BLE001 said at the end
                self.failures.append(f"{fault.kind}: the server did not come back: {error}")
