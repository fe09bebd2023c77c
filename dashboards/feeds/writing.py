"""Writing editions to a folder: never half, never twice."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from dashboards.feeds.edition import Audience, Edition
from dashboards.feeds.page import edition_html
from storage.port import Store

FEED_VERSION = "https://jsonfeed.org/version/1.1"
INDEX: dict[Audience, str] = {"public": "index.json", "restricted": "index-restricted.json"}
_MODE: dict[Audience, int] = {"public": 0o644, "restricted": 0o600}


class EditionExistsError(Exception):
    """There is an edition with this id in the folder; editions are never changed."""


class _Head(msgspec.Struct):
    id: str
    audience: Audience
    built_at: datetime
    since: datetime | None
    until: datetime


def write_edition(edition: Edition, folder: Path) -> tuple[Path, Path]:
    """Write ``<id>.json`` and ``<id>.html`` and bring the list of editions (JSON Feed 1.1) up to date.

    The list is ``index.json`` for public and ``index-restricted.json`` for restricted editions; restricted files can be
    read by their owner only.

    Returns
    -------
    tuple of Path
        The JSON file and the HTML file.

    Raises
    ------
    EditionExistsError
        An edition with this id is there.
    OSError
        The folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data, page = folder / f"{edition.id}.json", folder / f"{edition.id}.html"
    mode = _MODE[edition.audience]
    told = edition.public_form()
    rendered = edition_html(told).encode()
    try:
        _write_new(data, _json(told), mode)
        try:
            _write_new(page, rendered, mode)
        except BaseException:
            data.unlink()
            raise
    except FileExistsError as error:
        raise EditionExistsError(
            f"edition {edition.id} is already in {folder}: choose another id, editions are never overwritten"
        ) from error
    _replace(folder / INDEX[edition.audience], _json(_index(folder, edition.audience)), mode)
    return data, page


def publish_edition(store: Store, edition: Edition, folder: Path) -> tuple[Path, Path]:
    """Write an edition, then note in the store which pages it has counted.

    If the store cannot note it, the files are taken away again and the error is raised.

    Raises
    ------
    EditionExistsError, OSError
        See `write_edition`.
    StoreUnavailableError, StoreRejectedError
        The store could not note it.
    """
    written = write_edition(edition, folder)
    try:
        store.mark_reported(edition.page_ids, edition.id, edition.built_at)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        index = _json(_index(folder, edition.audience))
        _replace(folder / INDEX[edition.audience], index, _MODE[edition.audience])
        raise
    return written


def _index(folder: Path, audience: Audience) -> dict[str, Any]:
    heads = []
    for path in folder.glob(f"*-{audience}.json"):
        with suppress(msgspec.MsgspecError):
            heads.append(msgspec.json.decode(path.read_bytes(), type=_Head))
    heads.sort(key=lambda head: (head.built_at, head.id), reverse=True)
    return {
        "version": FEED_VERSION,
        "title": f"guidewatch: {audience} editions",
        "description": "Summaries of how-to content on home-made firearms, for the Working Group on Firearms",
        "language": "en",
        "items": [_entry(head) for head in heads if head.audience == audience],
    }


def _entry(head: _Head) -> dict[str, Any]:
    since = head.since.date().isoformat() if head.since else "the beginning"
    return {
        "id": head.id,
        "url": f"{head.id}.html",
        "title": f"Edition {head.id}",
        "content_text": f"From {since} to {head.until.date().isoformat()}.",
        "date_published": head.built_at.isoformat(),
        "attachments": [{"url": f"{head.id}.json", "mime_type": "application/json"}],
    }


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _write_new(path: Path, data: bytes, mode: int) -> None:
    temporary = _temporary(path, data, mode)
    try:
        os.link(temporary, path)
    finally:
        temporary.unlink()


def _replace(path: Path, data: bytes, mode: int) -> None:
    _temporary(path, data, mode).replace(path)


def _temporary(path: Path, data: bytes, mode: int) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return temporary
