from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
from guidewatch.commands import crawling, people, watching, working
from guidewatch.metrics.serving import shown
with shown(lambda: sys.exit("asked")):
    print("prometheus_client" in sys.modules, "opentelemetry" in sys.modules, "crawlers" in sys.modules)
"""


def test_without_a_port_nothing_is_shown_loaded_or_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"] * 3
