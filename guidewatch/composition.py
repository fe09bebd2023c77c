"""Put the parts together from settings: stores, classifier, broker options, secrets."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guidewatch import data_folder
from guidewatch.errors import UserMistakeError

if TYPE_CHECKING:
    from classifier import Classifier
    from consumers.vault import Vault, VaultKeys
    from crawlers.guard.off_limits import OffLimits
    from events import PageFound, PageJudged, Topics
    from storage import Store
    from storage.elastic import ElasticStore


def sqlite_store(data: Path) -> Store:
    """Return the store of an embedded installation, set up."""
    from storage.sqlite import SqliteStore

    store = SqliteStore(data / data_folder.STORE_FILE)
    store.setup()
    return store


def elastic_store() -> ElasticStore:
    """Return the store of a distributed installation.

    Raises
    ------
    UserMistakeError
        No Elasticsearch is configured.
    """
    from guidewatch import settings
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


def existing_store(data: Path | None, *, to_write: str = "") -> Store:
    """Return the store to read: the one in ``data``, or else Elasticsearch if it is configured.

    Parameters
    ----------
    data
        Data folder; one that may only be read will do, unless something is to be written.
    to_write
        What the caller writes there, for the message; empty if nothing.

    Raises
    ------
    UserMistakeError
        There is neither, or the store may not be written.
    """
    from guidewatch import settings

    if data is None:
        if settings.load(settings.ElasticsearchSettings).hosts:
            return elastic_store()
        raise UserMistakeError("say which store: --data DIR, or set GUIDEWATCH_ELASTICSEARCH_HOSTS")
    store = data / data_folder.STORE_FILE
    if not store.is_file():
        raise UserMistakeError(f"there is no {store.name} in {data}: run a crawl with --data {data} first")
    if data_folder.is_writable(data):
        data_folder.close_to_others(data)
        return sqlite_store(data)
    if to_write:
        raise UserMistakeError(f"{store} may only be read, and {to_write}: make {data} writable, or a copy of it")
    from storage.sqlite import SqliteStore

    return SqliteStore(store, read_only=True)


def classifier(model: Path | None = None) -> Classifier:
    """Return the classifier: ``model``, or the configured one, or the shipped one.

    From here on this process does each sum in one thread: the matrices of a passage are too small to share, and threads
    that wait for each other cost more than the sums. Who has more cores starts more workers.
    """
    from threadpoolctl import threadpool_limits

    from classifier import load
    from guidewatch import settings

    loaded = load(model or settings.load(settings.ClassifierSettings).model)
    threadpool_limits(1)
    return loaded


def judge(loaded: Classifier) -> Callable[[Sequence[PageFound]], list[PageJudged]]:
    """Return the judging stage with its classifier filled in."""
    from consumers.judging import judge as judge_pages

    return partial(judge_pages, loaded, clock=lambda: datetime.now(UTC))


def off_limits(path: Path | None) -> OffLimits:
    """Return what is never asked: the list in ``path``, or nothing.

    Raises
    ------
    OffLimitsError
        The list cannot be read, or a line is malformed.
    """
    from crawlers.guard.off_limits import OffLimits, read_off_limits

    return OffLimits() if path is None else read_off_limits(path)


def ports(text: str) -> frozenset[int]:
    """Return the numbers in a list that is separated by commas."""
    return frozenset(int(port) for port in text.split(","))


def vault_keys() -> VaultKeys:
    """Return the configured keys of the vault; there may be none.

    Raises
    ------
    VaultKeyError
        One is malformed.
    """
    from consumers.vault import read_keys
    from guidewatch import settings

    return read_keys(settings.load(settings.EvidenceSettings).vault_key.get_secret_value())


def vault(folder: Path, warc_folder: Path) -> Vault:
    """Return the vault to write to.

    Raises
    ------
    VaultKeyError
        The key is malformed, or not the one that the vault was written with.
    """
    from consumers.vault import Vault

    made = Vault(folder, warc_folder, keys=vault_keys())
    made.check_keys()
    return made


def kafka_options() -> dict[str, Any]:
    """Return the kafka-python options that every client of this installation shares."""
    from guidewatch import kafka_options, settings

    return kafka_options.kafka_options(settings.load(settings.KafkaSettings))


def topics() -> Topics:
    """Return the topic names of this installation."""
    from events import Topics
    from guidewatch import settings

    return Topics(settings.load(settings.KafkaSettings).topic_prefix)


def review_tokens(data: Path | None) -> dict[str, str]:
    """Return analyst → token: as configured, or one that is made once and kept in the data folder.

    Raises
    ------
    UserMistakeError
        The setting is malformed, or there is neither a setting nor a data folder.
    """
    from guidewatch import settings

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
    from guidewatch import settings

    configured = settings.load(settings.ReviewSettings).secret.get_secret_value()
    return configured or _kept_secret(data, "review.secret", "GUIDEWATCH_REVIEW_SECRET")


def _kept_secret(data: Path | None, name: str, variable: str) -> str:
    import secrets

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
