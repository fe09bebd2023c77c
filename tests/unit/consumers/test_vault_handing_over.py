from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import fastwarc
import pytest

from consumers.vault import VaultKeyError, VaultKeys
from consumers.vault.handing_over import HandOverError, hand_over
from tests.unit.consumers.vaults import BODIES, KEYED, NONE, filled, objects, page, verified

both = pytest.mark.parametrize("keys", [NONE, KEYED], ids=["plain", "keyed"])


@both
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_records_of_an_item_are_written_decrypted_and_read_by_a_stranger(
    tmp_path: Path, keys: VaultKeys, number: int
) -> None:
    filled(tmp_path, keys)
    digest = sha256(BODIES[number]).hexdigest()
    for name in (page(number), digest):
        target = tmp_path / f"{name}.warc.gz"
        receipt = hand_over(tmp_path / "vault", keys, name, target)
        with target.open("rb") as file:
            response, request = (
                (record.headers["WARC-Type"], record.reader.read())
                for record in fastwarc.ArchiveIterator(file, parse_http=True)
            )
        assert response == ("response", BODIES[number])
        assert request[0] == "request"
        assert target.stat().st_mode & 0o777 == 0o600
        assert receipt.object_sha256 == sha256(target.read_bytes()).hexdigest()
        assert (receipt.sha256, receipt.page_id, receipt.line) == (digest, page(number), number + 1)
        assert receipt.head == verified(tmp_path, keys).head


@pytest.mark.parametrize("name", ["0" * 32, "0" * 64, "", "../log.jsonl"])
def test_what_no_line_names_is_not_handed_over(tmp_path: Path, name: str) -> None:
    filled(tmp_path)
    target = tmp_path / "file"
    with pytest.raises(HandOverError, match="no line of the log names"):
        hand_over(tmp_path / "vault", NONE, name or "x", target)
    assert not target.exists()


@both
def test_a_changed_record_or_log_is_not_handed_over(tmp_path: Path, keys: VaultKeys) -> None:
    filled(tmp_path, keys)
    one, two, _ = objects(tmp_path)
    one.write_bytes(one.read_bytes()[:-1])
    two.unlink()
    for number in (0, 1):
        with pytest.raises(HandOverError, match=r"is not as it was written|is not in the vault"):
            hand_over(tmp_path / "vault", keys, page(number), tmp_path / "file")
    log = tmp_path / "vault" / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"a.example/0", b"b.example/0"))
    with pytest.raises(HandOverError, match=r"log\.jsonl line 1"):
        hand_over(tmp_path / "vault", keys, page(2), tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_a_missing_key_is_said(tmp_path: Path) -> None:
    filled(tmp_path, KEYED)
    with pytest.raises(VaultKeyError, match="no key is set"):
        hand_over(tmp_path / "vault", NONE, page(0), tmp_path / "file")


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    filled(tmp_path)
    target = tmp_path / "file"
    target.write_text("mine")
    with pytest.raises(FileExistsError):
        hand_over(tmp_path / "vault", NONE, page(0), target)
    assert target.read_text() == "mine"
