"""What processes cost: CPU seconds by pid, and stages of guidewatch beside a benchmark."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_TICKS = os.sysconf("SC_CLK_TCK")
_ROOT = Path(__file__).parents[2]


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a running process, all its threads, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_mb(pid: int) -> float:
    """Return the most megabytes that a running process has held."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def stages(names: Sequence[str], settings: Mapping[str, str]) -> Iterator[dict[str, int]]:
    """Run ``guidewatch work NAME`` for each name; yield their pids, and end them."""
    environment = {**os.environ, **settings, "PYTHONPATH": str(_ROOT)}
    with TemporaryDirectory(prefix="guidewatch-bench-") as folder:
        running: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for name in names:
                command = [sys.executable, "-m", "guidewatch", "work", name]
                running[name] = subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.DEVNULL)
            yield {name: process.pid for name, process in running.items()}
        finally:
            for process in running.values():
                process.terminate()
            for process in running.values():
                process.wait(30)
