"""In which ways a JSON Schema takes less than an earlier one did, or has lost something that its readers know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


def breaks(old: Schema, new: Schema) -> list[str]:
    """Return what messages or readers of ``old`` cannot live with in ``new``, each as ``path: what``."""
    return list(_Comparison(old, new).at(old, new, "event"))


class _Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = old
        self._new = new
        self._seen: set[tuple[str, str]] = set()

    def at(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        refs = (old.get("$ref", ""), new.get("$ref", ""))
        if all(refs):
            if refs in self._seen:
                return
            self._seen.add(refs)
        old, new = _resolved(self._old, old), _resolved(self._new, new)
        wanted, given = _alternatives(self._old, old), _alternatives(self._new, new)
        if len(wanted) == len(given) == 1:
            yield from self._one(wanted[0], given[0], path)
            return
        for one in wanted:
            tries = [list(self._one(one, other, path)) for other in given]
            if all(tries):
                yield min(tries, key=len)[0]

    def _one(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        if not _types(old) <= _types(new) | ({"integer"} if "number" in _types(new) else set()):
            yield f"{path}: type {_said(old)} is {_said(new)}"
            return
        yield from _values(old, new, path)
        yield from _bounds(old, new, path)
        yield from self._properties(old, new, path)
        for name in ("items", "additionalProperties"):
            inner = old.get(name), new.get(name)
            if isinstance(inner[0], Mapping) and isinstance(inner[1], Mapping):
                yield from self.at(inner[0], inner[1], f"{path}[]")
        for number, pair in enumerate(zip(old.get("prefixItems", ()), new.get("prefixItems", ()), strict=False)):
            yield from self.at(*pair, f"{path}[{number}]")

    def _properties(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        before, now = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name not in now:
                yield f"{path}.{name}: the field is gone"
            else:
                yield from self.at(schema, now[name], f"{path}.{name}")
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{path}.{name}: the field is required now"


def _resolved(document: Schema, schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = document["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def _alternatives(document: Schema, schema: Schema) -> list[Schema]:
    found: list[Schema] = []
    for one in schema.get("anyOf", [schema]):
        resolved = _resolved(document, one)
        found += _alternatives(document, resolved) if "anyOf" in resolved else [resolved]
    return found


def _types(schema: Schema) -> set[str]:
    said = schema.get("type")
    if said is None:
        values = schema.get("enum", [schema["const"]] if "const" in schema else [])
        return {_TYPE[type(value)] for value in values} or {"anything"}
    return {said} if isinstance(said, str) else set(said)


_TYPE = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def _said(schema: Schema) -> str:
    return " or ".join(sorted(_types(schema)))


def _values(old: Schema, new: Schema, path: str) -> Iterator[str]:
    allowed = new.get("enum", [new["const"]] if "const" in new else None)
    if allowed is None:
        return
    before = old.get("enum", [old["const"]] if "const" in old else None)
    if before is None:
        yield f"{path}: any value was allowed, now only {allowed}"
        return
    gone = [value for value in before if value not in allowed]
    if gone:
        yield f"{path}: {gone} is not allowed any more"


def _bounds(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for name in _UPPER:
        if name in new and new[name] < old.get(name, float("inf")):
            yield f"{path}: {name} is {new[name]}, and was {old.get(name, 'none')}"
    for name in _LOWER:
        if name in new and new[name] > old.get(name, float("-inf")):
            yield f"{path}: {name} is {new[name]}, and was {old.get(name, 'none')}"
    for name in ("pattern", "format"):
        if name in new and new[name] != old.get(name):
            yield f"{path}: {name} is {new[name]!r}, and was {old.get(name)!r}"
