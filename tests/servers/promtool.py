"""Prometheus' own checker of rules and configurations: the one on the path, or out of Debian's package.

The package is fetched once into ``.cache/servers`` and not installed, since it would start a server.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.servers.maven import MissingServerError, locked_cache

_MISSING = "promtool is missing: put it on the path (Debian: package prometheus) to check the alert rules"


def promtool() -> Path:
    """Return the program.

    Raises
    ------
    MissingServerError
        It is not on the path, and the package cannot be had.
    """
    found = shutil.which("promtool")
    if found is not None:
        return Path(found)
    with locked_cache("promtool") as cache:
        home = cache / "promtool"
        if not home.exists():
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                _fetch(Path(folder)).rename(home)
    return home


def _fetch(folder: Path) -> Path:
    """Return the program out of the package."""
    if not _run(folder, "apt-get", "download", "-qq", "prometheus"):
        _run(folder, "apt-get", "update", "-qq")
        _run(folder, "apt-get", "download", "-qq", "prometheus")
    packages = list(folder.glob("prometheus_*.deb"))
    if not packages or not _run(folder, "dpkg-deb", "-x", packages[0].name, "."):
        raise MissingServerError(_MISSING)
    return folder / "usr" / "bin" / "promtool"


def _run(folder: Path, *command: str) -> bool:
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0
    except FileNotFoundError as error:
        raise MissingServerError(_MISSING) from error
