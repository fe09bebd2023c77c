"""Every way to change a vault is found, and what a killed writer leaves is not called a change."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.vault import Vault, VaultKeyError, VaultKeys
from consumers.vault.lines import write_line
from consumers.vault.verifying import VaultReport
from tests.unit.consumers.vaults import BODIES, KEYED, NONE, ONE, TWO, filled, objects, page, verified
from tests.unit.consumers.warcs import AT, written

both = pytest.mark.parametrize("keys", [NONE, KEYED], ids=["plain", "keyed"])


def log_of(folder: Path) -> Path:
    return folder / "vault" / "log.jsonl"


def rewrite(folder: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    lines = log_of(folder).read_bytes().splitlines(keepends=True)
    log_of(folder).write_bytes(b"".join(change(lines)))


def places(report: VaultReport) -> list[str]:
    return [finding.where for finding in report.changes]


@both
def test_a_vault_that_nobody_touched_is_intact(tmp_path: Path, keys: VaultKeys) -> None:
    filled(tmp_path, keys)
    report = verified(tmp_path, keys)
    assert (report.changes, report.notices) == ((), ())
    assert (report.lines, report.objects, report.signed) == (3, 3, bool(keys))
    last = log_of(tmp_path).read_bytes().splitlines()[-1]
    assert report.head == sha256(last).hexdigest()


def test_an_empty_vault_is_intact(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    report = verified(tmp_path)
    assert (report.changes, report.lines, report.head) == ((), 0, "0" * 64)


@both
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(which=st.integers(0, 1), place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_a_flipped_byte_in_an_object_is_found(
    tmp_path_factory: pytest.TempPathFactory, keys: VaultKeys, which: int, place: int, change: int
) -> None:
    folder = tmp_path_factory.mktemp("flipped")
    filled(folder, keys, (b"<p>one", b"<p>two"))
    path = objects(folder)[which]
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= change
    path.write_bytes(content)
    assert places(verified(folder, keys)) == [str(path.relative_to(folder / "vault"))]


@both
def test_an_object_that_was_removed_cut_swapped_or_lengthened_is_found(tmp_path: Path, keys: VaultKeys) -> None:
    filled(tmp_path, keys)
    one, two, _ = objects(tmp_path)
    first, second = one.read_bytes(), two.read_bytes()
    for change in (
        one.unlink,
        lambda: one.write_bytes(b""),
        lambda: one.write_bytes(first[:-1]),
        lambda: one.write_bytes(second),
        lambda: one.write_bytes(first + b"\n"),
        lambda: one.write_bytes(first + first),
    ):
        change()
        (where,) = places(verified(tmp_path, keys))
        assert where.removesuffix(".enc") == str(one.relative_to(tmp_path / "vault")).removesuffix(".enc")
    one.write_bytes(first)
    assert verified(tmp_path, keys).changes == ()


@both
def test_an_object_that_no_line_names_is_found(tmp_path: Path, keys: VaultKeys) -> None:
    vault = filled(tmp_path, keys)
    other = filled(tmp_path / "other", keys, (b"planted",))
    (planted,) = objects(tmp_path / "other")
    place = tmp_path / "vault" / planted.relative_to(tmp_path / "other" / "vault")
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(planted.read_bytes())
    assert place in [path for _, path in vault.objects.all()]
    assert other is not vault
    (change,) = verified(tmp_path, keys).changes
    assert (change.where, change.what) == (str(place.relative_to(tmp_path / "vault")), "no line of the log names it")


def doctored(line: bytes, **fields: object) -> bytes:
    return json.dumps(json.loads(line) | fields, separators=(",", ":")).encode() + b"\n"


@both
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_changed_line_is_found_also_the_last(tmp_path: Path, keys: VaultKeys, number: int) -> None:
    filled(tmp_path, keys)

    def change(lines: list[bytes]) -> list[bytes]:
        lines[number] = doctored(lines[number], url="http://elsewhere.example/")
        return lines

    rewrite(tmp_path, change)
    assert f"log.jsonl line {number + 1}" in places(verified(tmp_path, keys))


@both
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_a_flipped_byte_anywhere_in_the_log_is_found(
    tmp_path_factory: pytest.TempPathFactory, keys: VaultKeys, place: int, change: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    filled(folder, keys, (b"<p>one", b"<p>two"))
    content = bytearray(log_of(folder).read_bytes())
    content[place % (len(content) - 1)] ^= change  # the last line feed may be what a killed writer did not write
    log_of(folder).write_bytes(content)
    assert verified(folder, keys).changes


@both
@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0], lines[2]], 2),
        (lambda lines: [lines[1], lines[0], lines[2]], 1),
        (lambda lines: [lines[0], lines[2], lines[1]], 2),
        (lambda lines: [lines[0], lines[0], lines[1], lines[2]], 2),
        (lambda lines: [lines[0], b"\n", lines[1], lines[2]], 2),
        (lambda lines: [*lines, b"{}\n"], 4),
        (lambda lines: [*lines, lines[2]], 4),
    ],
    ids=[
        "first gone",
        "middle gone",
        "first two swapped",
        "last two swapped",
        "repeated",
        "blank",
        "added",
        "last twice",
    ],
)
def test_a_line_that_was_removed_moved_or_inserted_is_found(
    tmp_path: Path, keys: VaultKeys, change: Callable[[list[bytes]], list[bytes]], where: int
) -> None:
    filled(tmp_path, keys)
    rewrite(tmp_path, change)
    assert f"log.jsonl line {where}" in places(verified(tmp_path, keys))


@both
def test_a_log_that_was_cut_at_its_end_is_found_by_the_object_and_by_a_head_that_was_kept(
    tmp_path: Path, keys: VaultKeys
) -> None:
    vault = filled(tmp_path, keys)
    (again,) = written(tmp_path / "warc" / "again", BODIES[0])
    vault = Vault(tmp_path / "vault", tmp_path / "warc" / "again", keys=keys)
    vault.keep(again, page_id=page(9), url="http://b.example/", at=AT)
    head = verified(tmp_path, keys).head
    rewrite(tmp_path, lambda lines: lines[:-1])
    assert verified(tmp_path, keys).changes == ()  # it named a record that another line names: the chain alone is blind
    assert "no line has the hash" in verified(tmp_path, keys, head).changes[0].what
    rewrite(tmp_path, lambda lines: lines[:-1])
    assert [change.what for change in verified(tmp_path, keys).changes] == ["no line of the log names it"]


@both
def test_a_head_that_was_kept_is_found_again_in_a_log_that_grew(tmp_path: Path, keys: VaultKeys) -> None:
    filled(tmp_path, keys, BODIES[:1])
    head = verified(tmp_path, keys).head
    (more,) = written(tmp_path / "more", b"more")
    Vault(tmp_path / "vault", tmp_path / "more", keys=keys).keep(more, page_id=page(7), url="http://a.example/", at=AT)
    assert verified(tmp_path, keys, head).changes == ()
    assert verified(tmp_path, keys, "1" * 64).changes


def forged(folder: Path, key: object) -> None:
    """Write the whole chain anew with another address in it, as somebody who knows all but the key could."""

    def change(lines: list[bytes]) -> list[bytes]:
        from consumers.vault.lines import NO_HEAD, hash_of, read_line

        made, head = [], NO_HEAD
        for number, raw in enumerate(lines, 1):
            entry = read_line(raw.rstrip(b"\n"), NONE).entry
            entry = type(entry)(
                **{**{name: getattr(entry, name) for name in entry.__struct_fields__}, "url": "http://x/"}
            )
            line = write_line(entry, number, head, key)
            made.append(line + b"\n")
            head = hash_of(line)
        return made

    rewrite(folder, change)


def test_a_chain_that_was_written_anew_is_found_by_the_key(tmp_path: Path) -> None:
    filled(tmp_path, KEYED)
    forged(tmp_path, None)
    assert ["it is the last, and it is not signed" in change.what for change in verified(tmp_path, KEYED).changes] == [
        True
    ]
    forged(tmp_path, TWO)
    with pytest.raises(VaultKeyError):
        verified(tmp_path, KEYED)


def test_without_a_key_a_chain_that_was_written_anew_is_found_by_a_head_that_was_kept(tmp_path: Path) -> None:
    filled(tmp_path)
    head = verified(tmp_path).head
    forged(tmp_path, None)
    assert verified(tmp_path).changes == ()
    assert verified(tmp_path, NONE, head).changes


def test_a_log_that_is_gone_is_found(tmp_path: Path) -> None:
    filled(tmp_path)
    log_of(tmp_path).unlink()
    assert len(verified(tmp_path).changes) == 3


def test_a_former_key_that_is_missing_is_asked_for_and_what_else_changed_is_told_all_the_same(tmp_path: Path) -> None:
    filled(tmp_path, KEYED)
    both_keys = VaultKeys([TWO, ONE])
    (more,) = written(tmp_path / "more", b"more")
    Vault(tmp_path / "vault", tmp_path / "more", keys=both_keys).keep(more, page_id=page(7), url="http://x/", at=AT)
    assert verified(tmp_path, both_keys).changes == ()
    for alone, wanted in ((TWO, ONE), (ONE, TWO)):
        with pytest.raises(VaultKeyError, match=f"the key {wanted.id}, which is not in"):
            verified(tmp_path, VaultKeys([alone]))
    objects(tmp_path)[0].unlink()
    for alone in (TWO, ONE):
        told = [change.what for change in verified(tmp_path, VaultKeys([alone])).changes]
        assert told[0] == "the log names it, and it is not there"
        assert "were not checked" in told[1]


def test_a_key_that_is_missing_or_wrong_is_said_and_no_change_is_claimed(tmp_path: Path) -> None:
    filled(tmp_path, KEYED)
    with pytest.raises(VaultKeyError, match="no key is set"):
        verified(tmp_path)
    with pytest.raises(VaultKeyError, match="which is not in"):
        verified(tmp_path, VaultKeys([TWO]))
    assert verified(tmp_path, VaultKeys([TWO, ONE])).changes == ()


@both
@pytest.mark.parametrize("cut", [1, 2, 40, -1])
def test_a_line_that_a_killed_writer_cut_short_is_no_change_and_the_next_writer_mends_it(
    tmp_path: Path, keys: VaultKeys, cut: int
) -> None:
    """The record of that line has no name yet: it is given one only when its line is on the disk."""
    vault = filled(tmp_path, keys)
    whole = log_of(tmp_path).read_bytes()
    line = whole.splitlines(keepends=True)[-1]
    path = objects(tmp_path)[-1]
    path.rename(path.with_name(f".new-{path.name.split('.')[0]}-x{''.join(path.suffixes)}"))
    log_of(tmp_path).write_bytes(whole[: -len(line)] + line[:cut])
    report = verified(tmp_path, keys)
    assert (report.changes, len(report.notices)) == ((), 2 if cut != -1 else 1)
    again = Vault(tmp_path / "vault", tmp_path / "warc", keys=keys)
    (evidence,) = written(tmp_path / "warc" / "x", BODIES[-1])
    again = Vault(tmp_path / "vault", tmp_path / "warc" / "x", keys=keys)
    again.keep(evidence, page_id=page(2), url="http://a.example/2", at=AT)
    report = verified(tmp_path, keys)
    assert (report.changes, report.lines, report.objects) == ((), 3, 3)
    assert log_of(tmp_path).read_bytes().endswith(b"}\n")
    assert vault is not again


class Killed(BaseException):
    """The process ends here."""


@both
@pytest.mark.parametrize("moment", ["before the line", "within the line", "before the name", "after the name"])
def test_a_writer_that_is_killed_is_no_change_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: VaultKeys, moment: str
) -> None:
    filled(tmp_path, keys)
    (evidence,) = written(tmp_path / "more", b"more")
    dying = Vault(tmp_path / "vault", tmp_path / "more", keys=keys)
    append, place = dying.log.append, dying.objects.place

    def dying_append(entry: object) -> None:
        if moment == "within the line":
            with log_of(tmp_path).open("ab") as file:
                file.write(b'{"n":4,"prev":"0')
        if moment in ("before the line", "within the line"):
            raise Killed
        append(entry)  # type: ignore[arg-type]

    def dying_place(staged: Path, digest: str) -> Path:
        if moment == "after the name":
            place(staged, digest)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(dying.log, "append", dying_append)
        patched.setattr(dying.objects, "place", dying_place)
        patched.setattr(Path, "unlink", lambda *_, **__: None)  # a dead process cleans nothing
        with pytest.raises(Killed):
            dying.keep(evidence, page_id=page(5), url="http://a.example/", at=AT)
    assert verified(tmp_path, keys).changes == ()
    Vault(tmp_path / "vault", tmp_path / "more", keys=keys).keep(
        evidence, page_id=page(5), url="http://a.example/", at=AT
    )
    report = verified(tmp_path, keys)
    assert (report.changes, report.lines, report.objects) == ((), 4, 4)


def test_a_vault_that_may_only_be_read_is_verified(tmp_path: Path) -> None:
    filled(tmp_path, KEYED)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert verified(tmp_path, KEYED).changes == ()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert os.access(tmp_path, os.R_OK)


def test_progress_is_told(tmp_path: Path) -> None:
    from consumers.vault.verifying import verify

    filled(tmp_path)
    told: list[tuple[str, int, int]] = []
    verify(tmp_path / "vault", NONE, on_progress=lambda *said: told.append(said))
    assert told[-1] == ("objects", 3, 3)


@both
def test_a_line_that_only_lacks_its_line_feed_stays(tmp_path: Path, keys: VaultKeys) -> None:
    filled(tmp_path, keys)
    whole = log_of(tmp_path).read_bytes()
    log_of(tmp_path).write_bytes(whole[:-1])
    assert verified(tmp_path, keys).changes == ()
    (more,) = written(tmp_path / "more", b"more")
    Vault(tmp_path / "vault", tmp_path / "more", keys=keys).keep(more, page_id=page(7), url="http://x/", at=AT)
    assert log_of(tmp_path).read_bytes().startswith(whole)
    report = verified(tmp_path, keys)
    assert (report.changes, report.lines) == ((), 4)


def test_a_record_that_cannot_be_named_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = filled(tmp_path)
    (more,) = written(tmp_path / "more", b"more")
    failing = Vault(tmp_path / "vault", tmp_path / "more")

    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(failing.objects, "place", full)
    with pytest.raises(OSError, match="No space left"):
        failing.keep(more, page_id=page(7), url="http://x/", at=AT)
    report = verified(tmp_path)
    assert (report.changes, len(report.notices), report.objects) == ((), 1, 4)
    assert vault.objects.find(more.sha256) is None


def test_a_writer_between_line_and_name_is_waited_for(tmp_path: Path) -> None:
    filled(tmp_path)
    (more,) = written(tmp_path / "more", b"more")
    writer = Vault(tmp_path / "vault", tmp_path / "more")
    place, between = writer.objects.place, threading.Event()

    def slow(staged: Path, digest: str) -> Path:
        hidden = staged.rename(tmp_path / "hidden")
        between.set()
        time.sleep(0.2)
        hidden.rename(staged)
        return place(staged, digest)

    writer.objects.place = slow  # type: ignore[method-assign]
    thread = threading.Thread(
        target=writer.keep, args=(more,), kwargs={"page_id": page(7), "url": "http://x/", "at": AT}
    )
    thread.start()
    try:
        assert between.wait(10)
        report = verified(tmp_path)
    finally:
        thread.join()
    assert (report.changes, report.notices, report.objects) == ((), (), 4)
