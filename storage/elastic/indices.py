"""Names of indices and aliases, and setting them up (ADR 0024).

What a page leaves is in the indices of one *place*: the month in which the page was first seen, such as ``2026.11``,
or `FIRST` for what is not kept by months. Readers use the alias ``PREFIX-items`` over all places, writers an alias a
place, ``PREFIX-items-write-2026.11``. Behind them are indices such as ``PREFIX-items-v3-2026.11``, so that a migration
can put another version behind the same aliases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

from elasticsearch import BadRequestError, Elasticsearch, NotFoundError

from storage.elastic.templates import missing, template
from storage.port import StoreRejectedError

Kind = Literal["items", "ledger", "decisions", "histories", "checks"]
KINDS: tuple[Kind, ...] = ("items", "ledger", "decisions", "histories", "checks")
MONTHLY: tuple[Kind, ...] = ("items", "ledger", "checks")
FIRST = "000001"
"""Place of decisions and histories, and of pages from before there were months."""

_PREFIX = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,79}$")
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)


def month_of(first_seen_at: datetime, now: datetime) -> str:
    """Return the place of a page that was first seen then; where a clock was not set, a near one."""
    return max(_EARLIEST, min(first_seen_at, now)).astimezone(UTC).strftime("%Y.%m")


class Indices:
    """The indices of one installation.

    Parameters
    ----------
    prefix
        Begins every name, so that several installations can share a cluster.
    """

    def __init__(self, prefix: str) -> None:
        if not _PREFIX.match(prefix):
            raise StoreRejectedError(
                f"{prefix!r} cannot begin an index name: use lower-case letters, digits, '-', '_' and '.'"
            )
        self._prefix = prefix
        self._concrete = re.compile(rf"{re.escape(prefix)}-({'|'.join(KINDS)})-v(\d+)-(\d{{6}}|\d{{4}}\.\d{{2}})")

    def read(self, kind: Kind) -> str:
        """Return the alias to search."""
        return f"{self._prefix}-{kind}"

    def write(self, kind: Kind, place: str = FIRST) -> str:
        """Return the alias to write new documents to, and to get documents by id from."""
        return f"{self._prefix}-{kind}-write" if place == FIRST else f"{self._prefix}-{kind}-write-{place}"

    def index(self, kind: Kind, version: int, place: str) -> str:
        """Return the name of an index."""
        return f"{self._prefix}-{kind}-v{version}-{place}"

    def all(self, kind: Kind) -> str:
        """Return the pattern of all indices of a kind, also of those behind no alias."""
        return f"{self._prefix}-{kind}-v*"

    def parsed(self, index: str) -> tuple[Kind, int, str] | None:
        """Return kind, version and place of an index, None of one that is not ours."""
        found = self._concrete.fullmatch(index)
        return (found[1], int(found[2]), found[3]) if found else None  # type: ignore[return-value]

    def setup(self, client: Elasticsearch, now: datetime) -> None:
        """Create or upgrade templates, indices and aliases.

        Raises
        ------
        StoreRejectedError
            A newer version of guidewatch has set the cluster up.
        """
        for kind in KINDS:
            wanted = template(kind, client)
            if self._version(client, kind) > wanted["version"]:
                raise self._too_new(kind)
            client.indices.put_index_template(
                name=self.read(kind),
                index_patterns=[self.all(kind)],
                priority=200,
                version=wanted["version"],
                meta=wanted["_meta"],
                template=wanted["template"],
            )
            if client.indices.exists_alias(name=self.read(kind)):
                self._extend(client, kind, wanted["template"]["mappings"])
            else:
                self._create(client, kind, wanted["version"], month_of(now, now) if kind in MONTHLY else FIRST)

    def create_missing(self, client: Elasticsearch, aliases: Iterable[str]) -> None:
        """Create the indices of the months that these aliases to write to are of; others may do so at once.

        Raises
        ------
        StoreRejectedError
            The installation was never set up, or by another version.
        """
        known = {self.write(kind, place): place for place in map(_month_in, aliases) if place for kind in MONTHLY}
        if strange := sorted(set(aliases) - set(known)):
            raise StoreRejectedError(f"Elasticsearch has no {', '.join(strange)} (has it been set up?)")
        for place in sorted(set(known.values())):
            for kind in MONTHLY:
                if not client.indices.exists_alias(name=self.write(kind, place)):
                    self._create(client, kind, self.own_version(client, kind), place)

    def own_version(self, client: Elasticsearch, kind: Kind) -> int:
        """Return the version of the template, in the cluster and here.

        Raises
        ------
        StoreRejectedError
            They differ, or the cluster has none.
        """
        found, own = self._version(client, kind), int(template(kind)["version"])
        if not found:
            raise StoreRejectedError(f"Elasticsearch has no index template {self.read(kind)} (has it been set up?)")
        if found > own:
            raise self._too_new(kind)
        if found < own:
            raise StoreRejectedError(
                f"index template {self.read(kind)} was set up by an older guidewatch: set it up again"
            )
        return own

    def _version(self, client: Elasticsearch, kind: Kind) -> int:
        """Return the version of the template in the cluster, 0 if there is none."""
        try:
            (found,) = client.indices.get_index_template(name=self.read(kind))["index_templates"]
        except NotFoundError:
            return 0
        return int(found["index_template"].get("version", 0))

    def _too_new(self, kind: Kind) -> StoreRejectedError:
        return StoreRejectedError(f"index template {self.read(kind)} was made by a newer guidewatch: upgrade first")

    def _extend(self, client: Elasticsearch, kind: Kind, mappings: dict[str, Any]) -> None:
        """Add the fields that an index does not have; what it has otherwise stays so until it is migrated."""
        for index, found in client.indices.get_mapping(index=self.read(kind)).items():
            new = missing(mappings["properties"], found["mappings"].get("properties", {}))
            if new:
                client.indices.put_mapping(index=index, properties=new, meta=mappings["_meta"])

    def _create(self, client: Elasticsearch, kind: Kind, version: int, place: str) -> None:
        aliases: dict[str, Any] = {self.read(kind): {}, self.write(kind, place): {"is_write_index": True}}
        try:
            client.indices.create(index=self.index(kind, version, place), aliases=aliases)
        except BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise


def _month_in(alias: str) -> str | None:
    found = re.search(r"-write-(\d{4}\.\d{2})$", alias)
    return found[1] if found else None
