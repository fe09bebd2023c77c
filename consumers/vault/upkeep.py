"""Retention and keys: what is too old is removed, what has an old key is encrypted anew, and the log says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice

import msgspec

from consumers.vault.keeping import Vault
from consumers.vault.lines import Rekeyed, Removed, WarcRemoved

OnProgress = Callable[[str, int, int], None]
_LINE_DIGESTS = 1_000
_STAGED_FOR_S = 24 * 3600.0


class RemovedObjects(msgspec.Struct, frozen=True, kw_only=True):
    """How many objects were, or would be, removed, and their bytes on the disk."""

    objects: int
    bytes: int


def too_old(vault: Vault, before: datetime) -> RemovedObjects:
    """Return what `remove_objects` would remove."""
    vault.log.read()
    return _counted(vault, _old(vault, before))


def remove_objects(vault: Vault, before: datetime, rule: str, at: datetime) -> RemovedObjects:
    """Remove every object that no page has named since ``before``, after the log says so.

    Clears away, besides, what killed writers have left.

    Parameters
    ----------
    vault
        Nobody else writes to it meanwhile.
    before, at
        Aware UTC; ``at`` is now.
    rule
        For the log, such as ``vault older than 180d``.

    Raises
    ------
    OSError
        The vault cannot be written to.
    """
    with vault.log.writing():
        digests = _old(vault, before)
        counted = _counted(vault, digests)
        rest = iter(digests)
        while batch := tuple(islice(rest, _LINE_DIGESTS)):
            vault.log.append(Removed(at=at, rule=rule, sha256=batch))
            for digest in batch:
                vault.objects.remove(digest)
        _clear(vault, at)
    return counted


def note_warc_removal(vault: Vault, names: Sequence[str], size: int, rule: str, at: datetime) -> None:
    """Write into the log which WARC files are about to be removed, and under which rule."""
    with vault.log.writing():
        vault.log.append(WarcRemoved(at=at, rule=rule, warc=tuple(names), bytes=size))


def rekey(vault: Vault, at: datetime, on_progress: OnProgress = lambda *_: None) -> int:
    """Encrypt with the first key every object that is not, and sign the log with it; return how many there were.

    Raises
    ------
    VaultKeyError
        The key of an object is not there.
    EvidenceRefusedError
        An object is not as it was written.
    OSError
        The vault cannot be written to.
    """
    vault.log.read()
    digests = list(vault.log.contents.held)
    done = 0
    for number, digest in enumerate(digests):
        on_progress("objects", number, len(digests))
        with vault.log.writing():
            done += vault.renew(digest)
    on_progress("objects", len(digests), len(digests))
    with vault.log.writing():
        vault.log.append(Rekeyed(at=at, objects=done))
    return done


def _old(vault: Vault, before: datetime) -> list[str]:
    return [digest for digest, held in vault.log.contents.held.items() if held.at < before]


def _counted(vault: Vault, digests: Sequence[str]) -> RemovedObjects:
    sizes = [path.stat().st_size for digest in digests if (path := vault.objects.find(digest)) is not None]
    return RemovedObjects(objects=len(digests), bytes=sum(sizes))


def _clear(vault: Vault, at: datetime) -> None:
    """Finish removals that were cut short, name what was logged and not named, and drop what was never logged."""
    contents = vault.log.contents
    for digest, path in list(vault.objects.all()):
        if digest in contents.removed:
            path.unlink(missing_ok=True)
    for digest, path in list(vault.objects.all_staged()):
        if digest in contents.held and vault.objects.find(digest) is None:
            vault.mend(digest)
        elif at.timestamp() - path.stat().st_mtime > _STAGED_FOR_S:
            path.unlink()
