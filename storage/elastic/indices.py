"""Names of indices and aliases, and setting them up.

Readers use ``PREFIX-items``, writers ``PREFIX-items-write``; both are aliases over concrete indices
``PREFIX-items-v1-000001``, so that a migration or monthly indices need no change outside this module.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import Any, Literal

import orjson
from elasticsearch import BadRequestError, Elasticsearch

from storage.port import StoreRejectedError

Kind = Literal["items", "ledger", "decisions", "histories", "checks"]
KINDS: tuple[Kind, ...] = ("items", "ledger", "decisions", "histories", "checks")
_PREFIX = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,79}$")


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

    def read(self, kind: Kind) -> str:
        """Return the alias to search."""
        return f"{self._prefix}-{kind}"

    def write(self, kind: Kind) -> str:
        """Return the alias to write to and to get documents by id from."""
        return f"{self._prefix}-{kind}-write"

    def setup(self, client: Elasticsearch) -> None:
        """Create or upgrade templates, indices and aliases.

        Raises
        ------
        StoreRejectedError
            A newer version of guidewatch has set the cluster up.
        """
        for kind in KINDS:
            template = _template(kind)
            self._check_version(client, kind, template["version"])
            client.indices.put_index_template(
                name=self.read(kind),
                index_patterns=[f"{self._prefix}-{kind}-v*"],
                priority=200,
                version=template["version"],
                meta=template["_meta"],
                template={**template["template"], "aliases": {self.read(kind): {}}},
            )
            if client.indices.exists_alias(name=self.write(kind)):
                client.indices.put_mapping(index=self.write(kind), **_mappings(template))
            else:
                self._create(client, kind, template["version"])

    def _check_version(self, client: Elasticsearch, kind: Kind, version: int) -> None:
        name = self.read(kind)
        if not client.indices.exists_index_template(name=name):
            return
        (found,) = client.indices.get_index_template(name=name)["index_templates"]
        if found["index_template"].get("version", 0) > version:
            raise StoreRejectedError(f"index template {name} was made by a newer guidewatch: upgrade first")

    def _create(self, client: Elasticsearch, kind: Kind, version: int) -> None:
        first = f"{self._prefix}-{kind}-v{version}-000001"
        try:
            client.indices.create(index=first, aliases={self.write(kind): {"is_write_index": True}})
        except BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise


def _template(kind: Kind) -> dict[str, Any]:
    file = resources.files("storage.elastic") / "templates" / f"{kind}.json"
    loaded: dict[str, Any] = orjson.loads(file.read_bytes())
    return loaded


def _mappings(template: dict[str, Any]) -> dict[str, Any]:
    mappings = dict(template["template"]["mappings"])
    return {"meta": mappings["_meta"], "properties": mappings["properties"]}
