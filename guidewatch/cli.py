"""The command line: `guidewatch`."""

from __future__ import annotations

import sys

import typer

from guidewatch.commands import (
    crawling,
    crawls,
    dead_letters,
    demo,
    evaluate,
    evidence,
    indices,
    ledger,
    people,
    rechecking,
    retention,
    scoring,
    status,
    watching,
    working,
)
from guidewatch.errors import one_line

app = typer.Typer(
    name="guidewatch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich's Markdown takes longer to load than all the rest of --help
    help=(
        "Watch the open web for how-to content on home-made firearms, for analysts to review.\n\n"
        "Exit status: 0 done, 1 failed, 2 a mistake in what was asked."
    ),
)
for commands in (demo, crawling, watching, rechecking, crawls, working, scoring, evaluate, people, status, evidence):
    commands.register(app)
for commands in (ledger, dead_letters, indices, retention):
    commands.register(app)


def main() -> None:
    """Run the command line; known errors end in one line and an exit status, never in a traceback."""
    with one_line():
        if sys.argv[1:] and "--help" not in sys.argv:
            from guidewatch import logs

            logs.configure()
        app(prog_name="guidewatch", standalone_mode=True)


if __name__ == "__main__":
    main()
