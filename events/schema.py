"""Generate the JSON Schemas of the events: ``python -m events.schema [--check]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec

from events.catalogue import EVENT_TYPES

FOLDER = Path(__file__).parent / "schemas"


def documents() -> dict[str, str]:
    """Return file name → JSON Schema text of every event type."""
    made = {}
    for name, kind in EVENT_TYPES.items():
        schema = msgspec.json.schema(kind)
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, **schema}
        made[name.replace("/", "-") + ".json"] = json.dumps(schema, indent=2, sort_keys=True) + "\n"
    return made


def stale() -> list[str]:
    """Return the names of schema files that are missing, surplus or differ from the structs."""
    made = documents()
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    return sorted(name for name in made.keys() | found.keys() if made.get(name) != found.get(name))


def main(arguments: list[str]) -> int:
    """Write the schemas, or with ``--check`` only compare; return the exit status."""
    if "--check" in arguments:
        names = stale()
        for name in names:
            sys.stderr.write(f"events/schemas/{name} is not current: run `make schemas`\n")
        return 1 if names else 0
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
