"""`guidewatch review` and `guidewatch feed build`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from guidewatch import composition, data_folder, output
from guidewatch.errors import CommandFailedError, UserMistakeError
from guidewatch.metrics.serving import shown

if TYPE_CHECKING:
    from dashboards.review.tally import Recorder, Tally
    from events import LabelRecorded
    from guidewatch.metrics.process import Process
    from storage import Store

Data = Annotated[
    Path | None, typer.Option("--data", help="Data folder of an embedded installation; else Elasticsearch.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(review)
    feed = typer.Typer(no_args_is_help=True, help="Editions for the Working Group.")
    feed.command("build")(feed_build)
    app.add_typer(feed, name="feed")


def review(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: loopback.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 for a free one.")] = None,
) -> None:
    """Serve the review app, where analysts decide."""
    serve(data, host=host, port=port)


def serve(data: Path | None, *, host: str | None = None, port: int | None = None) -> None:
    """Serve the review app until it is stopped."""
    from dashboards.review import make_app
    from dashboards.review import serve as serve_app
    from dashboards.review.app import LOOPBACK
    from dashboards.review.tally import Recorder, Tally
    from guidewatch import settings

    chosen = settings.load(settings.ReviewSettings)
    store = composition.existing_store(data, to_write="review keeps the decisions there")
    tokens = composition.review_tokens(data)
    record, close = _recorder(data, store)
    recorder = Recorder(record)
    names = [*LOOPBACK, *filter(None, (name.strip() for name in chosen.allowed_hosts.split(",")))]
    try:
        secret = composition.review_secret(data)
        app = Tally(make_app(store, record=recorder, tokens=tokens, secret=secret, allowed_hosts=names))
        with shown(lambda: _process(app, recorder, store)):
            serve_app(
                app,
                host=host or chosen.host,
                port=chosen.port if port is None else port,
                ready=lambda url: _announce(url, tokens, data),
            )
    finally:
        close()
        store.close()


def _process(app: Tally, recorder: Recorder, store: Store) -> Process:
    from guidewatch.metrics import processes

    return processes.review(app, recorder, store.health)


def _recorder(data: Path | None, store: Store) -> tuple[Callable[[LabelRecorded], None], Callable[[], None]]:
    """Return what takes a decision, and what releases it: the store itself, or the topic of labels."""
    if data is not None:
        return lambda label: _stored(store, label), lambda: None
    from consumers.labels import LabelPublisher

    publisher = LabelPublisher(composition.kafka_options(), composition.topics())
    return publisher.record, publisher.close


def _stored(store: Store, label: LabelRecorded) -> None:
    if rejected := store.record_decisions([label]).rejected:
        raise CommandFailedError(f"the store refuses the decision: {rejected[0][1]}")


def _announce(url: str, tokens: dict[str, str], data: Path | None) -> None:
    from dashboards.review import sign_in_url

    if data is not None and len(tokens) == 1:
        output.say(f"Review app: {sign_in_url(url, next(iter(tokens.values())))}")
    else:
        output.say(f"Review app: {url}")
    output.say("Ctrl-C ends it.")


def feed_build(
    to: Annotated[Path, typer.Option("--to", help="Folder of the editions.")] = Path("feeds"),
    data: Data = None,
    restricted: Annotated[
        bool, typer.Option("--restricted", help="With hosts and defanged URLs of confirmed items.")
    ] = False,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="First day, UTC; default: from the beginning.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Day after the last, UTC; default: now.")] = None,
    edition: Annotated[str | None, typer.Option(help="Name of the edition; default: its date.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the files written as JSON.")] = False,
) -> None:
    """Write one edition as JSON and HTML. No excerpt, ever; URLs only defanged and only in the restricted edition."""
    period = {"since": _time("--since", since), "until": _time("--until", until)}
    store = composition.existing_store(data, to_write="feed build notes there what an edition has counted")
    try:
        page = write_feed(store, to, restricted=restricted, edition=edition, **period)
    finally:
        store.close()
    if as_json:
        output.emit({"html": str(page), "json": str(page.with_suffix(".json"))})
    output.say(f"Edition: {page}")


def write_feed(
    store: Store,
    folder: Path,
    *,
    restricted: bool,
    since: datetime | None = None,
    until: datetime | None = None,
    edition: str | None = None,
) -> Path:
    """Build and write one edition; return its HTML file.

    Raises
    ------
    UserMistakeError
        There can be no such edition, there is one already, or the folder cannot be written to.
    """
    from dashboards.feeds import EditionExistsError, EditionRefusedError, build_edition, publish_edition

    now = datetime.now(UTC)
    name = edition if edition is not None else f"{now:%Y-%m-%dT%H%M%SZ}"
    try:
        made = build_edition(store, restricted=restricted, edition_id=name, since=since, until=until or now)
        _, page = publish_edition(store, made, data_folder.made(folder, "choose another --to folder"))
    except (EditionExistsError, EditionRefusedError) as error:
        raise UserMistakeError(str(error)) from error
    return page


def _time(option: str, given: str | None) -> datetime | None:
    """Return the time that an option gives, UTC where it does not say otherwise."""
    if given is None:
        return None
    try:
        time = datetime.fromisoformat(given)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        shown = ascii(given[:40])
        raise UserMistakeError(f"{option} {shown}: write a date such as 2026-11-24, or 2026-11-24T12:00") from error
