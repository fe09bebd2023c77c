"""Kafka clients as spiders and the `crawl` commands use them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from kafka import KafkaConsumer, KafkaProducer
from kafka.cluster import collect_hosts
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import (
    AuthorizationError,
    FencedInstanceIdError,
    KafkaConfigurationError,
    KafkaError,
    ProducerFencedError,
    SaslAuthenticationFailedError,
    UnsupportedVersionError,
)

from events import MAX_MESSAGE_BYTES, Topics
from events.refusals import hearing

ClientOptions = Mapping[str, Any]
"""Options that all clients share: ``bootstrap_servers``, ``security_protocol``, ``sasl_*``, ``ssl_*``."""

_START_S = 10.0
_OVERHEAD_BYTES = 64 * 1024
_RECONNECT_MAX_MS = 2_000
_PERMANENT = (
    AuthorizationError,
    FencedInstanceIdError,
    KafkaConfigurationError,
    ProducerFencedError,
    SaslAuthenticationFailedError,
    UnsupportedVersionError,
)
Client = TypeVar("Client")


class KafkaUnavailableError(Exception):
    """Kafka does not answer; the message is one line for the user."""


class KafkaRefusedError(Exception):
    """Kafka answers and refuses: credentials, rights, a missing topic; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Who a spider is in its consumer group.

    Parameters
    ----------
    group
        Consumer group; one for all spiders of an installation.
    instance
        Name of this process, unique in the group and best kept over restarts.
    session_timeout_s
        A spider that dies is found out after so many seconds; one that cannot reach Kafka stops fetching before.
    transaction_timeout_s
        What a spider that died leaves open keeps readers waiting for so many seconds.
    """

    group: str
    instance: str
    session_timeout_s: float = 10.0
    transaction_timeout_s: float = 10.0


class HonestAssignor(CooperativeStickyAssignor):
    """Cooperative-sticky, whose member claims nothing that it has lost.

    kafka-python 3.0.12 lets a member that was expelled claim its former partitions when it joins again. The leader then
    gives them to it at once, while their new owner is still letting go of them (KIP-429 has two rounds for that).
    """

    def forget(self) -> None:
        """Claim nothing when joining again."""
        self.member_assignment = None


def is_permanent(error: KafkaError) -> bool:
    """Return whether trying again cannot help."""
    return isinstance(error, _PERMANENT)


def open_member(options: ClientOptions, member: Membership, assignor: HonestAssignor) -> Any:
    """Return a consumer of the group, of committed messages, whose offsets only transactions commit."""
    session_ms = int(member.session_timeout_s * 1000)
    return _consumer(
        options,
        client_id=f"{member.group}-{member.instance}",
        group_id=member.group,
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=max(100, session_ms // 5),
        max_poll_interval_ms=max(30_000, 3 * session_ms),
        partition_assignment_strategy=[assignor],
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )


def open_reader(options: ClientOptions, *, committed: bool = True) -> Any:
    """Return a consumer outside of any group, of committed messages or of all."""
    isolation = "read_committed" if committed else "read_uncommitted"
    return _consumer(options, group_id=None, isolation_level=isolation, auto_offset_reset="earliest")


def open_producer(options: ClientOptions, transactional_id: str, *, transaction_timeout_s: float = 10.0) -> Any:
    """Return a transactional producer, after it has fenced off and ended what an earlier one of that id left."""

    def make() -> Any:
        producer = KafkaProducer(
            **options,
            client_id=transactional_id,
            transactional_id=transactional_id,
            transaction_timeout_ms=int(transaction_timeout_s * 1000),
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            batch_size=256 * 1024,
            linger_ms=5,
            max_request_size=MAX_MESSAGE_BYTES + _OVERHEAD_BYTES,
            max_block_ms=int(_START_S * 1000),
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=int(_START_S * 1000),
            reconnect_backoff_max_ms=_RECONNECT_MAX_MS,
        )
        try:
            producer.init_transactions()
        except KafkaError:
            producer.close(timeout=0)
            raise
        return producer

    return _opened(options, make)


def check_topics(consumer: Any, topics: Topics) -> int:
    """Return how many partitions the frontier has.

    Raises
    ------
    KafkaRefusedError
        A topic is missing, or two that must be cut alike are not.
    """
    needed = (topics.crawl_requests, topics.crawl_ended, topics.crawls, topics.crawl_progress, topics.pages_found)
    if missing := sorted(set(needed) - consumer.topics()):
        raise KafkaRefusedError(f"Kafka has no topic {', '.join(missing)}: run `guidewatch setup` first")
    requests, ended = (len(consumer.partitions_for_topic(name)) for name in needed[:2])
    if requests != ended:
        raise KafkaRefusedError(
            f"{topics.crawl_requests} has {requests} partitions and {topics.crawl_ended} has {ended}: make as many"
        )
    return requests


def brief(error: BaseException) -> str:
    """Return an error in one line."""
    name, text = type(error).__name__, " ".join(str(error).split())[:200]
    return text if text.startswith(name) else f"{name}{': ' if text else ''}{text}"


def _consumer(options: ClientOptions, **more: Any) -> Any:
    return _opened(
        options,
        lambda: KafkaConsumer(
            **options,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            fetch_max_wait_ms=50,
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES + _OVERHEAD_BYTES,
            bootstrap_timeout_ms=int(_START_S * 1000),
            reconnect_backoff_max_ms=_RECONNECT_MAX_MS,
            **more,
        ),
    )


def _opened(options: ClientOptions, make: Callable[[], Client]) -> Client:
    where = options.get("bootstrap_servers", "localhost:9092")
    servers = where if isinstance(where, str) else ", ".join(where)
    context = options.get("ssl_context")
    if not any(_listens(host, port, context) for host, port, _ in collect_hosts(where)):
        raise KafkaUnavailableError(f"Kafka at {servers} does not answer: is it running?")
    with hearing() as refusal:
        try:
            return make()
        except KafkaError as error:
            if refusal.reason:
                raise KafkaRefusedError(f"Kafka at {servers} refuses the credentials: {refusal.reason}") from error
            if is_permanent(error):
                raise KafkaRefusedError(f"Kafka at {servers} does not let us in: {brief(error)}") from error
            raise KafkaUnavailableError(
                f"Kafka at {servers} takes connections but does not let us in: {brief(error)} "
                "(is it starting? else check the security protocol, the user, the password and the certificate)"
            ) from error


def _listens(host: str, port: int, context: ssl.SSLContext | None) -> bool:
    """Return whether anything accepts connections there; a client that cannot connect leaks sockets."""
    try:
        with socket.create_connection((host, port), timeout=3.0) as plain:
            if context is not None:
                plain.settimeout(_START_S)
                context.wrap_socket(plain, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        reason = error.verify_message.rstrip(".")
        raise KafkaRefusedError(f"the certificate of Kafka at {host}:{port} is refused: {reason}") from error
    except OSError:
        return False
    return True
