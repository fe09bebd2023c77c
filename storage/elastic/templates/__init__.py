"""The index templates: one file a kind of document, and the analyzers that this server has for the six languages."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import orjson
from elasticsearch import AuthorizationException, BadRequestError, Elasticsearch

ANALYZERS: Mapping[str, tuple[str, ...]] = {
    "ar": ("arabic",),
    "en": ("english",),
    "es": ("spanish",),
    "fr": ("french",),
    "ru": ("russian",),
    "zh": ("smartcn", "cjk"),
}
"""By language, best first; a server that has none of them takes what is in the file."""


def template(kind: str, client: Elasticsearch | None = None) -> dict[str, Any]:
    """Return the index template of a kind of document, with the best analyzers that the server of ``client`` has."""
    file = resources.files("storage.elastic.templates") / f"{kind}.json"
    loaded: dict[str, Any] = orjson.loads(file.read_bytes())
    if client is not None and kind == "items":
        search = loaded["template"]["mappings"]["properties"]["guidewatch"]["properties"]["search"]["properties"]
        for language, analyzers in ANALYZERS.items():
            found = next((name for name in analyzers if _has(client, name)), None)
            for field in search[language]["properties"].values():
                field["analyzer"] = found or field["analyzer"]
    return loaded


def missing(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields among ``wanted`` that are not there, at whatever depth."""
    new: dict[str, Any] = {}
    for name, field in wanted.items():
        if name not in there:
            new[name] = field
        elif "properties" in field:
            inner = missing(field["properties"], there[name].get("properties", {}))
            if inner:
                new[name] = {"properties": inner}
    return new


def _has(client: Elasticsearch, analyzer: str) -> bool:
    try:
        client.indices.analyze(analyzer=analyzer, text="a")
    except (BadRequestError, AuthorizationException):
        return False
    return True
