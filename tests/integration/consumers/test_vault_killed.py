"""Writers of a vault that are killed, and verified while they write."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from consumers.vault import read_keys
from consumers.vault.log import VaultLog
from consumers.vault.verifying import verify

SCRIPT = Path(__file__).with_name("vault_writer.py")
KEY = bytes(range(32)).hex()
ROUNDS = 6


def started(folder: Path, key: str, name: str, first: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(folder), key, name, str(first)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("key", ["", KEY], ids=["plain", "keyed"])
def test_killed_writers_leave_a_vault_that_verifies_and_nothing_they_answered_for_is_lost(
    tmp_path: Path, key: str
) -> None:
    keys, chance = read_keys(key), random.Random(17)
    answered: set[str] = set()
    head = "0" * 64
    for turn in range(ROUNDS):
        writers = {name: started(tmp_path, key, name, turn * 100_000) for name in "ab"}
        try:
            for writer in writers.values():
                assert writer.stdout is not None
                assert writer.stdout.readline()
            while_writing = verify(tmp_path / "vault", keys, head=head)
            time.sleep(chance.uniform(0, 0.1))
        finally:
            for writer in writers.values():
                writer.kill()
        for name, writer in writers.items():
            said = writer.communicate()[0].splitlines()
            answered |= {f"{name}{int(number):031x}" for number in said if number}
        assert while_writing.changes == ()
        after = verify(tmp_path / "vault", keys, head=while_writing.head)
        assert after.changes == ()
        head = after.head
    log = VaultLog(tmp_path / "vault" / "log.jsonl", keys)
    log.read()
    assert answered <= {page_id for page_id, _ in log.contents.pages}
    assert len(answered) > ROUNDS
