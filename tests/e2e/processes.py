"""Run guidewatch as its users do: as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

COMMAND = [sys.executable, "-m", "guidewatch.cli"]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without settings of ours, plus ``extra``."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GUIDEWATCH_")} | dict(extra or {})


def run(
    *arguments: str,
    timeout_s: float = 240,
    extra: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    cwd: Path | None = None,
):
    """Run a command to its end; return its `subprocess.CompletedProcess` with text output."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        timeout=timeout_s,
        env=environment(extra),
        cwd=cwd,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def started(*arguments: str, extra: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """Start a command; kill it at the end of the block if it still runs."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(extra),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def stop(process: subprocess.Popen[str], number: int = signal.SIGTERM, within_s: float = 5.0) -> tuple[str, str]:
    """Signal a process; return what it printed. Fails if it takes longer than ``within_s``."""
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=within_s)
    assert time.monotonic() - began <= within_s
    return out, err


def wait_for(condition, what: str, timeout_s: float = 60.0, every_s: float = 0.2):
    """Return the first true value of ``condition()``; fail with ``what`` after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(every_s)
    raise AssertionError(f"waited {timeout_s:.0f} s for {what}")
