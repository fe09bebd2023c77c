"""`guidewatch evidence`: prove that nothing changed, hand a record over, let old ones go, make and change keys."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from guidewatch import composition, output
from guidewatch.errors import CommandFailedError, UserMistakeError

if TYPE_CHECKING:
    from consumers.vault.verifying import VaultReport

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"([1-9][0-9]{0,5})([mhdw])", re.ASCII)
_HEAD = re.compile("[0-9a-f]{64}")
_SHOWN = 20
_LONGEST = timedelta(days=36_500)

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder of an embedded installation; else GUIDEWATCH_EVIDENCE_*_DIR."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    evidence = typer.Typer(no_args_is_help=True, help="WARC files and the vault: verify, hand over, purge, keys.")
    for command in (verify, show, purge, rekey, key):
        evidence.command()(command)
    app.add_typer(evidence, name="evidence")


def key() -> None:
    """Print a fresh key for GUIDEWATCH_EVIDENCE_VAULT_KEY. Keep a copy elsewhere: what it encrypts is lost with it."""
    from consumers.vault import fresh_key

    typer.echo(fresh_key())


def verify(
    data: Data = None,
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="A head that was printed earlier: the log must still have it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read the log and every object of the vault anew, and prove that nothing has changed; exit status 1 if it has.

    Keep the head that is printed in another place: with --head it proves that the log was not cut at its end.
    """
    from consumers.vault.verifying import verify as verify_vault

    if head is not None and not _HEAD.fullmatch(head):
        raise UserMistakeError("--head takes the 64 hexadecimal digits that an earlier verify printed")
    folder = _vault_to_read(data)
    with output.progress_bar() as progress:
        report = verify_vault(folder, composition.vault_keys(), head=head, on_progress=progress)
    if as_json:
        output.emit(report)
    _tell(report)
    if report.changes:
        raise CommandFailedError(f"the vault {folder} is not as it was written: {_many(len(report.changes), 'change')}")


def show(
    name: Annotated[str, typer.Argument(metavar="PAGE_ID|SHA256", help="A page id, or the digest of a payload.")],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="New file for the records; never the terminal.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write the WARC records of one item to a file, decrypted and verified, to be handed to an authority."""
    from consumers.vault.handing_over import hand_over

    if to is None or str(to) == "-":
        raise UserMistakeError("evidence is not shown on a terminal: say --to FILE, such as --to item.warc.gz")
    if to.exists():
        raise UserMistakeError(f"{to} is there already: choose another --to")
    receipt = hand_over(_vault_to_read(data), composition.vault_keys(), name, to)
    if as_json:
        output.emit(receipt)
    for what, value in (
        ("Written", receipt.file),
        ("SHA-256 of the file", receipt.object_sha256),
        ("SHA-256 of the payload", receipt.sha256),
        ("Page id", receipt.page_id),
        ("Kept", f"{receipt.kept_at.isoformat()}, line {receipt.line} of the log"),
        ("Head of the log", receipt.head),
    ):
        output.say(f"{what}: {value}")


def purge(
    older_than: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Remove WARC files last written so long ago: 90m, 12h, 30d, 8w."),
    ] = None,
    vault_older_than: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Remove records from the vault that no page was flagged with for so long."),
    ] = None,
    data: Data = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Remove what is older than the retention time, and note in the log of the vault what went and under which rule.

    Whole WARC files go; those that a running crawl has open stay.
    """
    ages = {"warc": _age("--older-than", older_than), "vault": _age("--vault-older-than", vault_older_than)}
    if not any(ages.values()):
        raise UserMistakeError("say what is too old: --older-than 30d, --vault-older-than 180d, or both")
    result = Purge(places(data), datetime.now(UTC), dry_run=dry_run).run(ages["warc"], ages["vault"])
    if as_json:
        output.emit(result)
    output.table("Would be removed" if dry_run else "Removed", result["warc"] | result["vault"])


def rekey(data: Data = None, as_json: Json = False) -> None:
    """Encrypt the whole vault with the first key of GUIDEWATCH_EVIDENCE_VAULT_KEY; then the others can be dropped."""
    from consumers.vault.upkeep import rekey as rekey_vault

    folders = places(data)
    if not composition.vault_keys():
        raise UserMistakeError("no key is set: put the new one first in GUIDEWATCH_EVIDENCE_VAULT_KEY")
    _vault_to_read(data)
    with output.progress_bar() as progress:
        done = rekey_vault(composition.vault(folders.vault, folders.warc), datetime.now(UTC), progress)
    if as_json:
        output.emit({"objects": done})
    output.say(f"Encrypted anew: {_many(done, 'object')}.")


class Places(NamedTuple):
    """The folders of WARC files and vault."""

    warc: Path
    vault: Path


def places(data: Path | None) -> Places:
    """Return the folders of WARC files and vault.

    Raises
    ------
    UserMistakeError
        There is no such data folder.
    """
    from guidewatch import settings

    if data is None:
        chosen = settings.load(settings.EvidenceSettings)
        return Places(chosen.warc_dir, chosen.vault_dir)
    if not data.is_dir():
        raise UserMistakeError(f"there is no folder {data}: say which with --data")
    return Places(data / "warc", data / "vault")


def _vault_to_read(data: Path | None) -> Path:
    folder = places(data).vault
    if not folder.is_dir():
        raise UserMistakeError(f"there is no vault in {folder}: say --data DIR or set GUIDEWATCH_EVIDENCE_VAULT_DIR")
    return folder


class Purge:
    """Removes from WARC folder and vault, the log first.

    Parameters
    ----------
    places
        Where they are.
    now
        Aware UTC.
    dry_run
        Count, and remove nothing.
    """

    def __init__(self, places: Places, now: datetime, *, dry_run: bool) -> None:
        self._places = places
        self._now = now
        self._dry_run = dry_run
        self._vault = composition.vault(places.vault, places.warc)

    def run(self, warc_age: timedelta | None, vault_age: timedelta | None) -> dict[str, dict[str, int]]:
        """Return what was removed, as counts."""
        warc = self._warc(warc_age) if warc_age else {}
        return {"warc": warc, "vault": self._objects(vault_age) if vault_age else {}}

    def _warc(self, age: timedelta) -> dict[str, int]:
        from consumers.vault.upkeep import note_warc_removal
        from crawlers.evidence.retention import old_files

        old = old_files(self._places.warc, self._now - age)
        if old.paths and not self._dry_run:
            names = [path.name for path in old.paths]
            note_warc_removal(self._vault, names, old.bytes, f"WARC files older than {_said(age)}", self._now)
            for path in old.paths:
                path.unlink(missing_ok=True)
        return {"WARC files": len(old.paths), "bytes of WARC files": old.bytes, "WARC files in use, left": old.in_use}

    def _objects(self, age: timedelta) -> dict[str, int]:
        from consumers.vault.upkeep import remove_objects, too_old

        before = self._now - age
        if self._dry_run:
            found = too_old(self._vault, before)
        else:
            found = remove_objects(self._vault, before, f"records older than {_said(age)}", self._now)
        return {"records in the vault": found.objects, "bytes of records": found.bytes}


def _age(option: str, given: str | None) -> timedelta | None:
    """Return the age that an option gives."""
    if given is None:
        return None
    found = _DURATION.fullmatch(given)
    if found is None:
        raise UserMistakeError(f"{option} {given[:40]!a}: write a number and m, h, d or w, such as 30d")
    age = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if age > _LONGEST:
        raise UserMistakeError(f"{option} {given}: that is more than a hundred years")
    return age


def _said(age: timedelta) -> str:
    """Return an age as it is written into the log, in the largest unit that fits."""
    for unit in ("w", "d", "h"):
        count, rest = divmod(age, timedelta(**{_UNITS[unit]: 1}))
        if count and not rest:
            return f"{count}{unit}"
    return f"{age // timedelta(minutes=1)}m"


def _tell(report: VaultReport) -> None:
    for title, findings in (("Changed", report.changes), ("Left by a killed process", report.notices)):
        for finding in findings[:_SHOWN]:
            output.say(f"{title}: {finding.where}: {finding.what}")
        if len(findings) > _SHOWN:
            output.say(f"{title}: and {len(findings) - _SHOWN} more; --json has them all")
    output.table(
        "Vault",
        {
            "records": report.objects,
            "lines of the log": report.lines,
            "signature": "checked" if report.signed else "not checked: no key" if report.lines else "none",
            "changes": len(report.changes),
        },
    )
    output.say(f"Head of the log: {report.head}")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
