"""Starts `tests.integration.consumers.worker` and listens to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.consumers.backbone import Backbone

ROOT = Path(__file__).parents[3]


@contextmanager
def worker(backbone: Backbone, instance: str, how: str) -> Iterator[subprocess.Popen[str]]:
    arguments = [str(backbone.options["bootstrap_servers"]), backbone.topics.prefix, instance, how]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.consumers.worker", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_for(process, "ready")
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], start: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return line
    raise AssertionError(f"the worker ended and never said {start!r}")
