"""Keeps records until it is killed: ``python vault_writer.py FOLDER KEY NAME FIRST``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from consumers.vault import Vault, read_keys
from crawlers.evidence import WarcFiles
from tests.unit.consumers.warcs import exchange

folder, key, name, first = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
files = WarcFiles(folder / "warc", f"{name}-{first}", software="tests", clock=lambda: datetime.now(UTC))
vault = Vault(folder / "vault", folder / "warc", keys=read_keys(key))
for number in count(first):
    # Two writers meet at every record: the first to come places it, the other only adds its line.
    evidence = files.write(exchange(b"<p>record %d" % number * 500, ()))
    vault.keep(evidence, page_id=f"{name}{number:031x}", url="http://a.example/", at=datetime.now(UTC))
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()
