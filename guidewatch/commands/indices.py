"""`guidewatch index`: move the documents in Elasticsearch to indices of this version, while everything runs."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from guidewatch import composition, output


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    index = typer.Typer(no_args_is_help=True, help="The indices in Elasticsearch: move them to this version.")
    index.command()(migrate)
    app.add_typer(index, name="index")


def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is to be done, and do nothing.")] = False,
    delete_old: Annotated[
        bool, typer.Option("--delete-old", help="Then delete the indices that nobody reads or writes any more.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as one JSON object.")] = False,
) -> None:
    """Copy every index of an older version to a new one and put that behind the same aliases; nothing stops meanwhile.

    Run `guidewatch setup` and restart the workers with this version first. One that was stopped goes on when it is
    started again; run one at a time. Old indices stay until --delete-old, and what they hold with them.
    """
    with closing(composition.elastic_store()) as store:
        migration = store.migration()
        steps = migration.plan()
        if not dry_run:
            with output.progress_bar() as progress:
                for step in steps:
                    migration.run(step, progress)
        old = migration.delete_old() if delete_old and not dry_run else migration.old()
    deleted = delete_old and not dry_run
    if as_json:
        moved = [{"from": step.source, "to": step.target, "documents": step.documents} for step in steps]
        output.emit({"moved": moved, "old": [] if deleted else old, "deleted": old if deleted else []})
    for step in steps:
        output.say(
            f"{'Would move' if dry_run else 'Moved'} {step.documents:,} documents from {step.source} to {step.target}"
        )
    if not steps:
        output.say("Every index is of this version.")
    for name in old:
        output.say(f"Deleted {name}" if deleted else f"Left from before: {name}; --delete-old deletes it")
