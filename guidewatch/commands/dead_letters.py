"""`guidewatch dlq`: what could not be read or stored, and what becomes of it (ADR 0022)."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from guidewatch import composition, letters_shown, output
from guidewatch.commands.crawling import Json
from guidewatch.errors import CommandFailedError, UserMistakeError
from guidewatch.stopping import stop_on_signals

if TYPE_CHECKING:
    from consumers.dead_letter_topics import DeadLetterReader, Found, Letter, LetterFilter
    from consumers.settling_letters import Settling

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of letters, as `dlq list` shows them.")]
Topic = Annotated[str | None, typer.Option(help="Only those read from this topic, such as pages.found.")]
Error = Annotated[str | None, typer.Option(help="Only those with this class of error, such as PoisonError.")]
Stage = Annotated[str | None, typer.Option(help="Only those that this stage put aside, such as index.")]
Host = Annotated[str | None, typer.Option(help="Only pages of this host.")]
PageId = Annotated[str | None, typer.Option("--page", metavar="PAGE_ID", help="Only this page.")]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Put aside at this time or later: 2026-11-28T14:00, or 6h, 2d ago.")
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Put aside before this time.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many, the oldest first.")]
AllOpen = Annotated[bool, typer.Option("--all-open", help="Every open letter.")]
By = Annotated[str | None, typer.Option(help="Who settles them, for the record; default: the user of this process.")]


_AGO = re.compile(r"(\d{1,5})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    dlq = typer.Typer(no_args_is_help=True, help="Dead letters: messages that could not be read or stored.")
    dlq.command("list")(list_letters)
    for command in (show, replay, drop):
        dlq.command()(command)
    app.add_typer(dlq, name="dlq")


def list_letters(
    topic: Topic = None,
    error: Error = None,
    stage: Stage = None,
    host: Host = None,
    page: PageId = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    settled: Annotated[bool, typer.Option("--all", help="Those that were sent back or dropped, too.")] = False,
    as_json: Json = False,
) -> None:
    """List the open dead letters, the oldest first."""
    wanted = _filter(None, topic, error, stage, host, page_id=page, since=since, until=until)
    with _reader() as reader, output.progress_bar() as progress:
        found = reader.read(progress)
    taken = [letter for letter in found.letters if wanted.takes(letter) and (settled or letter.settled is None)]
    shown = taken[:limit]
    if as_json:
        output.emit(
            {
                "total": len(taken),
                "letters": [letters_shown.described(letter) for letter in shown],
                "foreign": found.foreign,
            }
        )
    letters_shown.print_letters(shown)
    if len(taken) > len(shown):
        output.say(f"and {len(taken) - len(shown):,} more: say --limit, or a filter")
    for name, count in found.foreign.items():
        output.say(f"{name} has {count:,} messages that are no dead letters of ours")


def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of a letter, as `dlq list` shows it.")],
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="New file for the bytes of the message; never the terminal.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a dead letter: its headers, and of the message what may be shown; texts only by their length."""
    from consumers.letter_facts import headers_shown, message_shown

    if to is not None and str(to) == "-":
        raise UserMistakeError("a message may hold the text of a page: say --to FILE")
    with _reader() as reader:
        found = reader.read()
        (letter,) = _named(found, [name])
        ((_, message),) = list(reader.messages([letter]))
    value = message.value or b""
    facts = letters_shown.described(letter) | {"headers": headers_shown(message), "message": message_shown(value)}
    if to is not None:
        _write(to, value)
        facts["file"] = str(to)
    if as_json:
        output.emit(facts)
    output.table(letter.id, letters_shown.flat(facts))


def replay(
    ids: Ids = None,
    topic: Topic = None,
    error: Error = None,
    stage: Stage = None,
    host: Host = None,
    page: PageId = None,
    since: Since = None,
    until: Until = None,
    all_open: AllOpen = False,
    limit: Limit = None,
    most_replays: Annotated[
        int, typer.Option("--most-replays", min=1, help="Pass over letters that have come back so often.")
    ] = 3,
    force: Annotated[
        bool, typer.Option("--force", help="With ids: also letters that came back too often, or were dropped.")
    ] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Send dead letters back to the topics they were read from, each with the mark that it is settled.

    Ctrl-C ends it between two transactions: what is not sent back stays open.
    """
    from consumers.settling_letters import to_replay

    wanted = _filter(ids, topic, error, stage, host, page_id=page, since=since, until=until)
    _say_which(wanted, all_open=all_open)
    if force and not ids:
        raise UserMistakeError("--force needs the ids of the letters")
    with _settling(by) as settling, output.progress_bar() as progress:
        asked = _asked(settling.read(progress), wanted)
        choice = to_replay(asked, most_replays=most_replays, force=force)
        chosen = choice.chosen[:limit]
        done = _until_stopped(len(chosen), lambda on_done: settling.replay(chosen, on_done), progress)
    letters_shown.tell_replayed(choice, done, len(chosen), as_json=as_json)
    if ids and (choice.given_up or choice.settled):
        raise CommandFailedError("not every letter was sent back")
    _stopped_early(done, len(chosen))


def drop(
    reason: Annotated[str, typer.Option(help="Why, for the record.")],
    ids: Ids = None,
    topic: Topic = None,
    error: Error = None,
    stage: Stage = None,
    host: Host = None,
    page: PageId = None,
    since: Since = None,
    until: Until = None,
    all_open: AllOpen = False,
    limit: Limit = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Mark dead letters as dropped: nobody will look at them again. The ledger says dead letter still."""
    wanted = _filter(ids, topic, error, stage, host, page_id=page, since=since, until=until)
    _say_which(wanted, all_open=all_open)
    if not reason.strip():
        raise UserMistakeError("--reason is empty: say why the letters are dropped")
    with _settling(by) as settling, output.progress_bar() as progress:
        asked = _asked(settling.read(progress), wanted)
        chosen = [letter for letter in asked if letter.settled is None][:limit]
        done = _until_stopped(len(chosen), lambda on_done: settling.drop(chosen, reason.strip(), on_done), progress)
    if as_json:
        output.emit({"dropped": done})
    output.say(f"Dropped: {done:,}")
    _stopped_early(done, len(chosen))
    if ids and len(chosen) < len(asked):
        raise CommandFailedError(f"settled before: {len(asked) - len(chosen):,} of the letters")


def _filter(
    ids: Sequence[str] | None,
    topic: str | None,
    error: str | None,
    stage: str | None,
    host: str | None,
    **more: str | None,
) -> LetterFilter:
    from consumers.dead_letter_topics import LetterFilter

    return LetterFilter(
        ids=tuple(ids or ()),
        topic=_topic(topic) if topic else "",
        error=error or "",
        stage=stage or "",
        host=host or "",
        page_id=more["page_id"] or "",
        since=_moment("--since", more["since"]),
        until=_moment("--until", more["until"]),
    )


def _topic(given: str) -> str:
    topics = composition.topics()
    known = [name for name in topics.all() if topics.dead_letters(name) in topics.all()]
    bare = given.removesuffix(".dlq")
    for name in known:
        if bare in (name, name.removeprefix(f"{topics.prefix}.")):
            return name
    raise UserMistakeError(f"--topic {given!r}: take one of {', '.join(known)}")


def _moment(option: str, given: str | None) -> datetime | None:
    if given is None:
        return None
    if ago := _AGO.fullmatch(given):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        at = datetime.fromisoformat(given)
    except ValueError as error:
        raise UserMistakeError(f"{option} {given[:40]!a}: write 2026-11-28T14:00, or 6h or 2d for ago") from error
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _say_which(wanted: LetterFilter, *, all_open: bool) -> None:
    from consumers.dead_letter_topics import LetterFilter

    if wanted == LetterFilter() and not all_open:
        raise UserMistakeError("say which letters: ids, a filter such as --error, or --all-open")


def _reader() -> DeadLetterReader:
    from consumers.dead_letter_topics import DeadLetterReader

    return DeadLetterReader(composition.kafka_options(), composition.topics())


def _settling(by: str | None) -> Settling:
    from consumers.settling_letters import Settling

    who = by or getpass.getuser()
    return Settling(composition.kafka_options(), composition.topics(), who, lambda: datetime.now(UTC))


def _asked(found: Found, wanted: LetterFilter) -> list[Letter]:
    """Return the letters that were asked for: those named, whatever became of them, or the open ones."""
    if wanted.ids:
        _named(found, wanted.ids)
    return [letter for letter in found.letters if wanted.takes(letter) and (wanted.ids or letter.settled is None)]


def _named(found: Found, ids: Sequence[str]) -> list[Letter]:
    there = {letter.id: letter for letter in found.letters}
    if missing := [name for name in ids if name not in there]:
        raise UserMistakeError(f"there is no dead letter {', '.join(missing)}; `guidewatch dlq list` has their ids")
    return [there[name] for name in ids]


def _until_stopped(
    total: int, settle: Callable[[Callable[[int], bool]], int], progress: Callable[[str, int, int], None]
) -> int:
    with stop_on_signals() as stop:

        def on_done(done: int) -> bool:
            progress("settling", done, total)
            return not stop.is_set()

        return settle(on_done) if total else 0


def _stopped_early(done: int, chosen: int) -> None:
    if done < chosen:
        raise CommandFailedError(f"stopped; {chosen - done:,} letters are open as before")


def _write(path: Path, value: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UserMistakeError(f"{path} is there already: choose another --to") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(value)
