"""Java and Maven for the test servers: found, or missed with one line; what they fetch stays in ``.cache/servers``."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "servers"


class MissingServerError(Exception):
    """What the tests need to start a server is not on this machine; one line says what."""


def java_home() -> Path:
    """Return the home of the Java to run servers with: ``JAVA_HOME``, or that of the ``java`` on the path."""
    given = os.environ.get("JAVA_HOME")
    if given and (Path(given) / "bin" / "java").exists():
        return Path(given)
    found = shutil.which("java")
    if found is None:
        raise MissingServerError("Java 17 is missing: install it (Debian: openjdk-17-jre-headless) to run these tests")
    return Path(found).resolve().parents[1]


@contextmanager
def locked_cache(name: str) -> Iterator[Path]:
    """Yield the cache folder while no other process of ours works on the same ``name`` in it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield CACHE


def maven(goal: str, *options: str) -> None:
    """Run a goal of Maven's dependency plugin, such as ``copy``.

    Raises
    ------
    MissingServerError
        Maven is missing, or it fails.
    """
    command = shutil.which("mvn")
    if command is None:
        raise MissingServerError("Maven is missing: install it (Debian: maven) to fetch the servers for these tests")
    java_home()
    done = subprocess.run(
        [command, "-B", "-q", f"{PLUGIN}:{goal}", *options], capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = next((line for line in done.stdout.splitlines() if "ERROR" in line), "it does not say why")
        raise MissingServerError(f"Maven cannot fetch a server for these tests: {reason}")
