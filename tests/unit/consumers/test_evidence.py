from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from consumers.evidence import EvidenceStage
from consumers.stage import StageUnavailableError
from consumers.vault import Vault
from events import Topics
from tests.contract.samples import Clock, ended, judged, unflagged
from tests.unit.consumers.records import record
from tests.unit.consumers.warcs import written


@pytest.fixture
def clock() -> Clock:
    return Clock(judged().at + timedelta(seconds=10))


def stage(tmp_path: Path, clock: Clock) -> EvidenceStage:
    return EvidenceStage(Vault(tmp_path / "vault", tmp_path / "warc"), Topics("p"), clock, patience_s=60)


def kept(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "vault").rglob("*.warc.gz"))


def test_records_of_flagged_pages_are_kept_and_no_others(tmp_path: Path, clock: Clock) -> None:
    one, two, three = written(tmp_path / "warc", b"one", b"two", b"three")
    records = [
        record(judged("one", evidence=one)),
        record(unflagged("two", evidence=two)),
        record(ended("three", evidence=three)),
        record(judged("four", evidence=None)),
    ]
    handled = stage(tmp_path, clock).handle(records)
    assert (handled.outputs, handled.rejected) == ([], [])
    assert kept(tmp_path) == [f"{one.sha256[2:]}.warc.gz"]


def test_missing_record_is_waited_for_and_the_others_are_kept(tmp_path: Path, clock: Clock) -> None:
    (there,) = written(tmp_path / "warc", b"one")
    missing = msgspec.structs.replace(there, warc="later.warc.gz", sha256="0" * 64)
    records = [record(judged("one", evidence=missing)), record(judged("two", evidence=there))]
    with pytest.raises(StageUnavailableError, match=r"later\.warc\.gz is not in the WARC folder"):
        stage(tmp_path, clock).handle(records)
    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize("seconds", [61, -61])
def test_missing_record_is_a_dead_letter_after_a_time(tmp_path: Path, clock: Clock, seconds: int) -> None:
    (there,) = written(tmp_path / "warc", b"one")
    missing = msgspec.structs.replace(there, warc="never.warc.gz", sha256="0" * 64)
    clock.now = judged().at + timedelta(seconds=seconds)
    records = [record(judged("one", evidence=missing)), record(judged("two", evidence=there))]
    (rejection,) = stage(tmp_path, clock).handle(records).rejected
    assert (rejection.record, rejection.error) == (records[0], "EvidenceMissingError")
    assert "never.warc.gz" in rejection.message
    assert len(kept(tmp_path)) == 1


def test_record_with_another_digest_is_a_dead_letter_at_once(tmp_path: Path, clock: Clock) -> None:
    (there,) = written(tmp_path / "warc", b"one")
    wrong = record(judged("one", evidence=msgspec.structs.replace(there, sha256="0" * 64)))
    (rejection,) = stage(tmp_path, clock).handle([wrong]).rejected
    assert (rejection.record, rejection.error) == (wrong, "EvidenceRefusedError")


def test_vault_that_cannot_be_written_is_waited_for(tmp_path: Path, clock: Clock) -> None:
    (there,) = written(tmp_path / "warc", b"one")
    (tmp_path / "vault").write_text("a file where the folder should be")
    with pytest.raises(StageUnavailableError, match="the vault cannot be used"):
        stage(tmp_path, clock).handle([record(judged("one", evidence=there))])


def test_warc_folder_that_is_not_mounted_is_waited_for_however_long(tmp_path: Path, clock: Clock) -> None:
    (there,) = written(tmp_path / "elsewhere", b"one")
    clock.now = judged().at + timedelta(days=3)
    with pytest.raises(StageUnavailableError, match="no WARC folder"):
        stage(tmp_path, clock).handle([record(judged("one", evidence=there))])
