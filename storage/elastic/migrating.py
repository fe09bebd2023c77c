"""Moving documents to indices of this version, while others read and write (ADR 0024).

An index is copied to one of the new version that stands behind no alias (`storage.elastic.copying`). Then the old one
is closed to writers, the rest is copied, and in one step all its aliases go to the new one. Writers wait for that
moment: what they read from the old index they cannot write to any more, so they read it again from the new one. A
migration that was killed goes on when it is started again.
"""

from __future__ import annotations

from typing import Any

from storage.elastic.client import Connection
from storage.elastic.copying import Copy, OnProgress, Step
from storage.elastic.indices import KINDS, Indices
from storage.elastic.searching import Searcher
from storage.elastic.templates import template

_CAUGHT_UP = 1_000
"""Documents that may be left to copy while writers wait."""

_PASSES = 20
_ALL: dict[str, Any] = {"match_all": {}}


class Migration:
    """Moves documents.

    Parameters
    ----------
    connection, indices
        Where they are.
    """

    def __init__(self, connection: Connection, indices: Indices) -> None:
        self._connection = connection
        self._indices = indices
        self._searcher = Searcher(connection)

    def plan(self) -> list[Step]:
        """Return what is to be done.

        Raises
        ------
        StoreRejectedError
            The installation was not set up by this version.
        """
        steps = []
        for kind in KINDS:
            with self._connection.translated() as client:
                version = self._indices.own_version(client, kind)
                behind = client.indices.get_alias(name=self._indices.read(kind))
            for index in sorted(behind):
                parsed = self._indices.parsed(index)
                if parsed is not None and parsed[1] < version:
                    target = self._indices.index(kind, version, parsed[2])
                    count = self._searcher.count(index, _ALL)
                    steps.append(Step(kind=kind, source=index, target=target, documents=count))
        return steps

    def old(self) -> list[str]:
        """Return the indices of older versions that nobody reads or writes any more."""
        found: list[str] = []
        with self._connection.translated() as client:
            for kind in KINDS:
                version = int(template(kind)["version"])
                for index, body in client.indices.get_alias(index=self._indices.all(kind)).items():
                    parsed = self._indices.parsed(index)
                    if parsed is not None and parsed[1] < version and not body["aliases"]:
                        found.append(index)
        return sorted(found)

    def delete_old(self) -> list[str]:
        """Delete those of `old` and return their names."""
        names = self.old()
        with self._connection.translated() as client:
            for name in names:
                client.indices.delete(index=name)
        return names

    def run(self, step: Step, on_progress: OnProgress) -> None:
        """Move the documents of one index; what a killed run has done of it is not done again.

        Raises
        ------
        StoreRejectedError
            A document does not fit into the new version; it and all others stay where they were.
        StoreUnavailableError
            The cluster cannot be reached or is overloaded, or does not keep up with the writers.
        """
        copy = Copy(self._connection, step, on_progress)
        copy.prepare()
        for _ in range(_PASSES):
            if copy.catch_up() <= _CAUGHT_UP:
                break
        copy.drop_deleted()
        try:
            with self._connection.translated() as client:
                client.indices.add_block(index=step.source, block="write")
            copy.catch_up()
            copy.drop_deleted()
            copy.check()
            self._swap(step)
        except BaseException:
            with self._connection.translated() as client:
                if client.indices.get_alias(index=step.source)[step.source]["aliases"]:
                    client.indices.put_settings(index=step.source, settings={"index.blocks.write": None})
            raise

    def _swap(self, step: Step) -> None:
        with self._connection.translated() as client:
            aliases = client.indices.get_alias(index=step.source)[step.source]["aliases"]
            actions: list[dict[str, Any]] = []
            for name, body in aliases.items():
                actions.append({"remove": {"index": step.source, "alias": name, "must_exist": True}})
                actions.append({"add": {"index": step.target, "alias": name, **body}})
            client.indices.update_aliases(actions=actions)
