"""Vaults with a few records, for the tests of what happens to them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from consumers.vault import Vault, VaultKeys
from consumers.vault.keys import VaultKey
from consumers.vault.verifying import VaultReport, verify
from tests.unit.consumers.warcs import AT, written

ONE, TWO = VaultKey(bytes(range(32))), VaultKey(bytes(range(32, 64)))
NONE, KEYED = VaultKeys(), VaultKeys([ONE])
BODIES = (b"<p>one", b"<p>two" * 30_000, b"<p>three")


def page(number: int) -> str:
    return f"{number + 1:032x}"


def filled(folder: Path, keys: VaultKeys = NONE, bodies: tuple[bytes, ...] = BODIES) -> Vault:
    """Return a vault with a record a body; page ``n`` was kept ``n`` days after `AT`."""
    vault = Vault(folder / "vault", folder / "warc", keys=keys)
    for number, evidence in enumerate(written(folder / "warc", *bodies)):
        vault.keep(evidence, page_id=page(number), url=f"http://a.example/{number}", at=AT + timedelta(days=number))
    return vault


def verified(folder: Path, keys: VaultKeys = NONE, head: str | None = None) -> VaultReport:
    return verify(folder / "vault", keys, head=head)


def objects(folder: Path) -> list[Path]:
    """Return the objects in the order of their lines in the log."""
    said = [json.loads(line) for line in (folder / "vault" / "log.jsonl").read_text().splitlines()]
    names = [f"{line['sha256'][:2]}/{line['sha256'][2:]}.warc.gz" for line in said if line["kind"] == "kept"]
    found = [folder / "vault" / name for name in names]
    return [path if path.exists() else path.with_name(f"{path.name}.enc") for path in found]
