"""Put the parts together from settings: stores, classifier, broker options, secrets."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from events import PageFound, PageJudged, Topics
from guidewatch import settings
from guidewatch.errors import UserMistakeError
from storage import Store

if TYPE_CHECKING:
    from classifier import Classifier

STORE_FILE = "guidewatch.sqlite"


def data_folder(path: Path) -> Path:
    """Return ``path``, made if need be.

    Raises
    ------
    UserMistakeError
        It is a file, or cannot be made or written to.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / f".write-test-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except (FileExistsError, NotADirectoryError) as error:
        raise UserMistakeError(f"{path} is a file, not a folder: choose another --data folder") from error
    except OSError as error:
        raise UserMistakeError(
            f"{path} cannot be written to ({error.strerror}): choose another --data folder"
        ) from error
    return path


def sqlite_store(data: Path) -> Store:
    """Return the store of an embedded installation, set up."""
    from storage.sqlite import SqliteStore

    store = SqliteStore(data / STORE_FILE)
    store.setup()
    return store


def elastic_store() -> Store:
    """Return the store of a distributed installation.

    Raises
    ------
    UserMistakeError
        No Elasticsearch is configured.
    """
    from storage.elastic import ElasticStore

    chosen = settings.load(settings.ElasticsearchSettings)
    if not chosen.hosts:
        raise UserMistakeError("no Elasticsearch is configured: set GUIDEWATCH_ELASTICSEARCH_HOSTS")
    options: dict[str, Any] = {"hosts": [host.strip() for host in chosen.hosts.split(",") if host.strip()]}
    if chosen.username:
        options["basic_auth"] = (chosen.username, chosen.password.get_secret_value())
    if chosen.ca_certs:
        options["ca_certs"] = str(chosen.ca_certs)
    return ElasticStore(options, prefix=chosen.prefix)


def existing_store(data: Path | None) -> Store:
    """Return the store to read: the one in ``data``, or else Elasticsearch if it is configured.

    Raises
    ------
    UserMistakeError
        There is neither.
    """
    if data is not None:
        if not (data / STORE_FILE).is_file():
            raise UserMistakeError(f"there is no {STORE_FILE} in {data}: run a crawl with --data {data} first")
        return sqlite_store(data)
    if settings.load(settings.ElasticsearchSettings).hosts:
        return elastic_store()
    raise UserMistakeError("say which store: --data DIR, or set GUIDEWATCH_ELASTICSEARCH_HOSTS")


def classifier(model: Path | None = None) -> Classifier:
    """Return the classifier: ``model``, or the configured one, or the shipped one."""
    from classifier import load

    return load(model or settings.load(settings.ClassifierSettings).model)


def judge(loaded: Classifier) -> Callable[[Sequence[PageFound]], list[PageJudged]]:
    """Return the judging stage with its classifier filled in."""
    from consumers.judging import judge as judge_pages

    return partial(judge_pages, loaded, clock=lambda: datetime.now(UTC))


def kafka_options() -> dict[str, Any]:
    """Return the kafka-python options that every client of this installation shares."""
    chosen = settings.load(settings.KafkaSettings)
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in chosen.bootstrap_servers.split(",") if server.strip()],
        "security_protocol": chosen.security_protocol,
    }
    if chosen.sasl_mechanism:
        options |= {
            "sasl_mechanism": chosen.sasl_mechanism,
            "sasl_plain_username": chosen.sasl_username,
            "sasl_plain_password": chosen.sasl_password.get_secret_value(),
        }
    if chosen.ssl_cafile:
        options["ssl_cafile"] = str(chosen.ssl_cafile)
    return options


def topics() -> Topics:
    """Return the topic names of this installation."""
    return Topics(settings.load(settings.KafkaSettings).topic_prefix)


def review_tokens(data: Path | None) -> dict[str, str]:
    """Return analyst → token: as configured, or one that is made once and kept in the data folder.

    Raises
    ------
    UserMistakeError
        The setting is malformed, or there is neither a setting nor a data folder.
    """
    configured = settings.load(settings.ReviewSettings).tokens.get_secret_value()
    tokens: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in configured.split(","))):
        analyst, _, token = pair.partition("=")
        if not analyst or len(token) < 16:
            raise UserMistakeError(
                "GUIDEWATCH_REVIEW_TOKENS takes analyst=token pairs, tokens of 16 characters or more"
            )
        tokens[analyst] = token
    return tokens or {"analyst": _kept_secret(data, "review.token", "GUIDEWATCH_REVIEW_TOKENS")}


def review_secret(data: Path | None) -> str:
    """Return what signs sessions: as configured, or made once and kept in the data folder."""
    configured = settings.load(settings.ReviewSettings).secret.get_secret_value()
    return configured or _kept_secret(data, "review.secret", "GUIDEWATCH_REVIEW_SECRET")


def _kept_secret(data: Path | None, name: str, variable: str) -> str:
    if data is None:
        raise UserMistakeError(f"{variable} is not set, and without --data there is no folder to keep one in")
    path = data / name
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    with os.fdopen(descriptor, "w") as file:
        made = secrets.token_urlsafe(24)
        file.write(made)
    return made
