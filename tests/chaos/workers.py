"""Starts the workers of an installation, and starts again whichever ends, as an operator's supervisor does."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.processes import environment

RESTART_AFTER_S = 1.0
LEAVE_WITHIN_S = 10.0


@dataclass
class Worker:
    """A place for a process: whatever runs in it, one after the other.

    ``keeps_name``: the next process has the name of the last, and so its transactional id, and it is a static member:
    the group keeps its partitions for it.
    """

    stage: str
    name: str
    keeps_name: bool
    process: subprocess.Popen[bytes]
    starts: int = 1
    ended_at_s: float | None = None
    hangs: bool = False
    leaves: bool = False
    killed: bool = False

    @property
    def label(self) -> str:
        return f"{self.stage} {self.name}"


@dataclass(frozen=True, slots=True)
class Exit:
    """A worker that ended and was neither killed nor told to."""

    worker: str
    status: int
    last_line: str


@dataclass
class Supervisor:
    """Keeps so many workers of each stage running.

    Parameters
    ----------
    settings
        Environment variables of the installation.
    folder
        For what the workers say.
    arguments
        Further arguments of ``guidewatch work`` by stage.
    """

    settings: Mapping[str, str]
    folder: Path
    arguments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)
    """Ends that nobody asked for."""
    slow_to_leave: list[str] = field(default_factory=list)
    starts: Counter[str] = field(default_factory=Counter)

    def add(self, stage: str, *, keeps_name: bool) -> Worker:
        """Start one more worker of a stage."""
        self.starts[stage] += 1
        name = f"{stage}-{self.starts[stage]}"
        worker = Worker(stage, name, keeps_name, self._spawn(stage, name, keeps_name))
        self.workers.append(worker)
        return worker

    def of(self, stage: str) -> list[Worker]:
        """Return the workers of a stage that run and are left in peace so far."""
        return [
            one
            for one in self.workers
            if one.stage == stage and not one.hangs and not one.leaves and one.process.poll() is None
        ]

    def kill(self, worker: Worker) -> None:
        worker.killed = True
        worker.process.kill()

    def hang(self, worker: Worker) -> Callable[[], None]:
        """Stop a process where it stands; return what lets it go on."""
        worker.hangs = True
        process = worker.process
        process.send_signal(signal.SIGSTOP)

        def wake() -> None:
            worker.hangs = False
            process.send_signal(signal.SIGCONT)

        return wake

    def leave(self, worker: Worker) -> None:
        """Tell a worker to end in good order; it is not started again."""
        worker.leaves = True
        worker.process.terminate()

    def tick(self) -> None:
        """Start again what has ended."""
        now = time.monotonic()
        for worker in list(self.workers):
            status = worker.process.poll()
            if status is None:
                continue
            if worker.ended_at_s is None:
                worker.ended_at_s = now
                self._note(worker, status)
            if worker.leaves:
                self.workers.remove(worker)
            elif now - worker.ended_at_s >= RESTART_AFTER_S:
                self._start_again(worker)

    def _note(self, worker: Worker, status: int) -> None:
        asked_for = (worker.killed and status == -signal.SIGKILL) or (worker.leaves and status == 0)
        if not asked_for:
            self.exits.append(Exit(worker.label, status, self._last_line(worker)))

    def _start_again(self, worker: Worker) -> None:
        if not worker.keeps_name:
            self.starts[worker.stage] += 1
            worker.name = f"{worker.stage}-{self.starts[worker.stage]}"
        worker.process = self._spawn(worker.stage, worker.name, worker.keeps_name)
        worker.starts += 1
        worker.ended_at_s, worker.killed, worker.hangs = None, False, False

    def end(self) -> None:
        """Tell all to end, and kill who does not."""
        for worker in self.workers:
            worker.leaves = True
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGCONT)
                worker.process.terminate()
        deadline = time.monotonic() + LEAVE_WITHIN_S
        for worker in self.workers:
            try:
                status = worker.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.slow_to_leave.append(worker.label)
                worker.process.kill()
                status = worker.process.wait()
            if worker.ended_at_s is None:
                self._note(worker, status)
        self.workers.clear()

    def kill_all(self) -> None:
        """End every process at once, whatever state it is in."""
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()

    def tracebacks(self) -> dict[str, int]:
        """Return how many tracebacks each log has, where there are any."""
        found = {path.stem: path.read_text(errors="replace").count("Traceback (most") for path in self._logs()}
        return {name: count for name, count in found.items() if count}

    def _logs(self) -> list[Path]:
        return sorted(self.folder.glob("*.log"))

    def _last_line(self, worker: Worker) -> str:
        path = self.folder / f"{worker.name}.log"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return lines[-1][:300] if lines else ""

    def _spawn(self, stage: str, name: str, keeps_name: bool) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "guidewatch.cli", "work", stage, "--instance", name]
        if keeps_name and stage != "spider":
            command.append("--static")
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [*command, *self.arguments.get(stage, ())],
                env=environment(self.settings) | {"PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
