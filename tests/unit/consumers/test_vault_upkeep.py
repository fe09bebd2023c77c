from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from consumers.vault import EvidenceRefusedError, Vault, VaultKeyError, VaultKeys, upkeep
from consumers.vault.upkeep import note_warc_removal, rekey, remove_objects, too_old
from tests.unit.consumers.vaults import BODIES, KEYED, NONE, ONE, TWO, filled, objects, page, verified
from tests.unit.consumers.warcs import AT, written

NOW = AT + timedelta(days=100)
both = pytest.mark.parametrize("keys", [NONE, KEYED], ids=["plain", "keyed"])


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "vault" / "log.jsonl").read_text().splitlines()]


@both
def test_what_is_too_old_goes_and_the_log_says_what_when_and_why(tmp_path: Path, keys: VaultKeys) -> None:
    vault = filled(tmp_path, keys)
    one, two, three = objects(tmp_path)
    size = one.stat().st_size + two.stat().st_size
    before = AT + timedelta(days=2)
    assert (too_old(vault, before).objects, too_old(vault, before).bytes) == (2, size)
    assert one.exists()
    removed = remove_objects(vault, before, "records older than 98d", NOW)
    assert (removed.objects, removed.bytes) == (2, size)
    assert [path.exists() for path in (one, two, three)] == [False, False, True]
    line = lines(tmp_path)[-1]
    assert (line["kind"], line["at"], line["rule"]) == ("removed", "2027-03-04T12:00:00Z", "records older than 98d")
    assert line["sha256"] == [entry["sha256"] for entry in lines(tmp_path)[:2]]
    report = verified(tmp_path, keys)
    assert (report.changes, report.notices, report.objects, report.lines) == ((), (), 1, 4)


def test_nothing_too_old_is_no_line(tmp_path: Path) -> None:
    assert remove_objects(filled(tmp_path), AT, "never", NOW).objects == 0
    assert len(lines(tmp_path)) == 3


def test_a_record_is_as_old_as_the_last_page_that_named_it(tmp_path: Path) -> None:
    vault = filled(tmp_path, NONE, BODIES[:1])
    (again,) = written(tmp_path / "again", BODIES[0])
    Vault(tmp_path / "vault", tmp_path / "again").keep(
        again, page_id=page(8), url="http://b.example/", at=AT + timedelta(days=50)
    )
    assert too_old(vault, AT + timedelta(days=50)).objects == 0
    assert too_old(vault, AT + timedelta(days=51)).objects == 1


def test_a_page_that_is_flagged_again_later_is_kept_again(tmp_path: Path) -> None:
    vault = filled(tmp_path, NONE, BODIES[:1])
    remove_objects(vault, NOW, "all", NOW)
    (again,) = written(tmp_path / "again", BODIES[0])
    for writer in (vault, Vault(tmp_path / "vault", tmp_path / "again")):
        writer._warc_folder = tmp_path / "again"  # the vault that purged, and another process
        writer.keep(again, page_id=page(0), url="http://a.example/", at=NOW)
        assert verified(tmp_path).objects == 1
        assert verified(tmp_path).changes == ()
        remove_objects(writer, NOW + timedelta(days=1), "all", NOW)
    assert [line["kind"] for line in lines(tmp_path)] == ["kept", "removed", "kept", "removed", "kept", "removed"]


def test_a_removal_that_was_cut_short_is_no_change_and_the_next_one_finishes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = filled(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(vault.objects, "remove", lambda _: None)
        patched.setattr(upkeep, "_clear", lambda *_: None)
        remove_objects(vault, AT + timedelta(days=2), "old", NOW)
    report = verified(tmp_path)
    assert (report.changes, len(report.notices)) == ((), 2)
    remove_objects(Vault(tmp_path / "vault", tmp_path / "warc"), AT, "old", NOW)
    assert verified(tmp_path).notices == ()
    assert len(list(vault.objects.all())) == 1


def test_what_killed_writers_left_is_named_or_cleared_away(tmp_path: Path) -> None:
    filled(tmp_path)
    one, two, _ = objects(tmp_path)
    one.rename(one.parent / f".new-{one.name.partition('.')[0]}-abc.warc.gz")
    stale, fresh = (two.parent / f".new-{'0' * 62}-{name}.warc.gz" for name in ("stale", "fresh"))
    for path, days in ((stale, 98.0), (fresh, 99.9)):
        path.write_bytes(b"half")
        when = (AT + timedelta(days=days)).timestamp()
        os.utime(path, (when, when))
    remove_objects(Vault(tmp_path / "vault", tmp_path / "warc"), AT, "old", NOW)
    assert (one.exists(), stale.exists(), fresh.exists()) == (True, False, True)
    assert verified(tmp_path).changes == ()


def test_the_removal_of_warc_files_is_a_line_too(tmp_path: Path) -> None:
    note_warc_removal(Vault(tmp_path / "vault", tmp_path / "warc"), ["a.warc.gz", "b.warc.gz"], 12, "old", NOW)
    (line,) = lines(tmp_path)
    assert (line["kind"], line["warc"], line["bytes"], line["rule"]) == (
        "warc_removed",
        ["a.warc.gz", "b.warc.gz"],
        12,
        "old",
    )
    assert verified(tmp_path).changes == ()


def test_a_vault_gets_a_key_and_changes_it_and_the_old_one_is_no_longer_needed(tmp_path: Path) -> None:
    filled(tmp_path)
    for keys, count in ((KEYED, 3), (KEYED, 0), (VaultKeys([TWO, ONE]), 3)):
        assert rekey(Vault(tmp_path / "vault", tmp_path / "warc", keys=keys), NOW) == count
        report = verified(tmp_path, VaultKeys([keys.current]) if keys.current else NONE)
        assert (report.changes, report.notices, report.signed) == ((), (), True)
    assert all(path.name.endswith(".enc") for path in objects(tmp_path))
    assert not list((tmp_path / "vault").glob("*/*.gz"))
    with pytest.raises(VaultKeyError):
        Vault(tmp_path / "vault", tmp_path / "warc", keys=KEYED).check_keys()


def test_an_object_that_was_changed_is_not_encrypted_anew_as_if_it_were_whole(tmp_path: Path) -> None:
    filled(tmp_path, NONE, BODIES[:1])
    (path,) = objects(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EvidenceRefusedError, match="is not as it was written"):
        rekey(Vault(tmp_path / "vault", tmp_path / "warc", keys=KEYED), NOW)
    assert [found for found in (tmp_path / "vault").rglob("*") if found.is_file() and found.suffix != ".jsonl"] == [
        path
    ]


@pytest.mark.parametrize("keys", [NONE, VaultKeys([TWO])], ids=["none", "another"])
def test_a_writer_without_the_key_is_told_at_once(tmp_path: Path, keys: VaultKeys) -> None:
    filled(tmp_path, KEYED)
    with pytest.raises(VaultKeyError, match=ONE.id):
        Vault(tmp_path / "vault", tmp_path / "warc", keys=keys).check_keys()
    Vault(tmp_path / "vault", tmp_path / "warc", keys=VaultKeys([TWO, ONE])).check_keys()


def test_nothing_of_a_record_is_readable_in_an_encrypted_vault(tmp_path: Path) -> None:
    filled(tmp_path, KEYED)
    for path in objects(tmp_path):
        assert b"\x1f\x8b" not in path.read_bytes()[:64]
        assert path.name.endswith(".warc.gz.enc")
        assert path.stat().st_mode & 0o777 == 0o600
