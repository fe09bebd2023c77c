"""The vault: the WARC records of flagged pages, in files that nothing changes unseen (ADR 0017)."""

from consumers.vault.keeping import Placed, Vault
from consumers.vault.keys import VaultKeyError, VaultKeys, fresh_key, read_keys
from consumers.vault.records import EvidenceMissingError, EvidenceRefusedError

__all__ = [
    "EvidenceMissingError",
    "EvidenceRefusedError",
    "Placed",
    "Vault",
    "VaultKeyError",
    "VaultKeys",
    "fresh_key",
    "read_keys",
]
