"""What every page of the sample web is."""

from __future__ import annotations

from pathlib import Path

import msgspec

WEB = Path(__file__).parent / "web"
SITES = ("portal", "ar", "zh", "en", "fr", "ru", "es", "mirror")
"""Folder names, one origin each; a crawl starts at the portal."""


class TruePage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the sample web.

    ``label`` is ``positive`` (form and topic of a guide of concern, no substance), ``negative``, ``unsupported``
    (language), ``forbidden`` (robots.txt), ``missing`` (404) or ``redirect``.
    """

    site: str = ""
    path: str
    label: str
    kind: str
    language: str
    context: str | None = None
    subjects: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    note: str = ""
    via: str = "link"
    """How it is found: ``link``, ``sitemap`` or ``feed``."""
    copy_of: str | None = None


def truth(folder: Path = WEB) -> list[TruePage]:
    """Return every page of every site, site by site."""
    decoder = msgspec.json.Decoder(TruePage)
    return [
        msgspec.structs.replace(decoder.decode(line), site=site)
        for site in SITES
        for line in (folder / site / "truth.jsonl").read_text("utf-8").splitlines()
        if line.strip()
    ]
