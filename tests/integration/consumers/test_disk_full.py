"""A disk that is full under a stage that writes: it waits, commits nothing, and goes on when there is room again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.evidence import EvidenceStage
from consumers.index import IndexStage
from consumers.vault import Vault, read_keys
from consumers.vault.verifying import verify
from storage.sqlite import SqliteStore
from tests.contract.samples import judged
from tests.integration.consumers.backbone import Backbone, until
from tests.integration.disks import Disk, small_disk
from tests.unit.consumers.warcs import written


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk", "2m") as made:
        yield made


def test_vault_on_a_full_disk_waits_and_keeps_every_record_when_there_is_room(
    backbone: Backbone, disk: Disk, tmp_path: Path
) -> None:
    evidence = written(tmp_path / "warc", *(b"<p>record %d " % number * 200 for number in range(20)))
    pages = [judged(f"page-{number}", evidence=one) for number, one in enumerate(evidence)]
    vault = disk.path / "vault"
    disk.fill()
    backbone.send(backbone.topics.pages_judged, pages)
    stage = EvidenceStage(Vault(vault, tmp_path / "warc"), backbone.topics, lambda: pages[0].at)
    with backbone.running(stage) as run:
        until(lambda: run.loop.status().summary.retries >= 2, "two attempts")
        assert "No space left" in run.loop.status().failure
        assert backbone.committed(backbone.topics.pages_judged, "evidence") == 0
        disk.free()
        until(lambda: run.loop.status().summary.records == 20, "all records")
    report = verify(vault, read_keys(""))
    assert (report.objects, report.changes) == (20, ())


def test_sqlite_on_a_full_disk_waits_and_has_every_page_when_there_is_room(backbone: Backbone, disk: Disk) -> None:
    store = SqliteStore(disk.path / "store.sqlite")
    store.setup()
    disk.fill()
    pages = [judged(f"page-{number}", text="A page about a garden. " * 50) for number in range(100)]
    backbone.send(backbone.topics.pages_judged, pages)
    with backbone.running(IndexStage(store, backbone.topics, slice_size=20)) as run:
        until(lambda: run.loop.status().summary.retries >= 1, "an attempt")
        assert "the disk is full" in run.loop.status().failure
        assert backbone.committed(backbone.topics.pages_judged, "index") == 0
        disk.free()
        until(lambda: run.loop.status().summary.records == 100, "all records")
    assert store.ledger_counts()["flagged"] == 100
    store.close()
