"""Kafka clients as this project uses them, and what their errors mean."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
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

from events import MAX_MESSAGE_BYTES
from events.refusals import hearing

ClientOptions = Mapping[str, Any]
"""Options that all clients share: ``bootstrap_servers``, ``security_protocol``, ``sasl_*``, ``ssl_*``."""

MAX_REQUEST_BYTES = MAX_MESSAGE_BYTES + 64 * 1024
"""A message with its headers; a dead letter has more of them than the message it was."""

_RECONNECT_MAX_MS = 2000
"""Longest pause between attempts to reach a broker again; the default of 30 s would outlast most restarts."""

_PERMANENT = (
    AuthorizationError,
    FencedInstanceIdError,
    KafkaConfigurationError,
    ProducerFencedError,
    SaslAuthenticationFailedError,
    UnsupportedVersionError,
)
Client = TypeVar("Client")


class BrokerUnavailableError(Exception):
    """Kafka does not answer; the message is one line for the user."""


class BrokerRefusedError(Exception):
    """Kafka answers and refuses: credentials, rights, a missing topic; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Who a consumer is in its group.

    Parameters
    ----------
    group
        Consumer group.
    instance
        Name of this instance, stable over restarts and unique in the group. A second process of the same name fences
        the first.
    static
        Keep the partitions over a restart of less than ``session_timeout_s`` (static membership). Without it, a worker
        that ends in good order hands them on at once.
    session_timeout_s
        A worker that dies is found out after this many seconds.
    max_poll_interval_s
        A worker that hangs is found out after this many seconds.
    """

    group: str
    instance: str
    static: bool = False
    session_timeout_s: float = 45.0
    max_poll_interval_s: float = 300.0

    @property
    def transactional_id(self) -> str:
        """What fences a zombie of this instance."""
        return f"{self.group}-{self.instance}"


def is_permanent(error: KafkaError) -> bool:
    """Return whether trying again cannot help."""
    return isinstance(error, _PERMANENT)


def open_consumer(options: ClientOptions, member: Membership, *, timeout_s: float) -> Any:
    """Return a consumer of committed messages whose offsets are committed by us alone.

    Raises
    ------
    BrokerUnavailableError, BrokerRefusedError
        No broker within ``timeout_s`` seconds, or it refuses us.
    """
    session_ms = int(member.session_timeout_s * 1000)
    return _opened(
        options,
        timeout_s,
        lambda: KafkaConsumer(
            **options,
            client_id=member.transactional_id,
            group_id=member.group,
            group_instance_id=member.instance if member.static else None,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=max(100, min(3000, session_ms // 4)),
            max_poll_interval_ms=int(member.max_poll_interval_s * 1000),
            partition_assignment_strategy=[CooperativeStickyAssignor],
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            fetch_max_wait_ms=100,
            fetch_max_bytes=4 * MAX_REQUEST_BYTES,
            max_partition_fetch_bytes=MAX_REQUEST_BYTES,
            bootstrap_timeout_ms=int(timeout_s * 1000),
            reconnect_backoff_max_ms=_RECONNECT_MAX_MS,
        ),
    )


def open_producer(options: ClientOptions, *, timeout_s: float, **more: Any) -> Any:
    """Return an idempotent producer; ``more`` are options of its own, such as ``transactional_id``.

    Raises
    ------
    BrokerUnavailableError, BrokerRefusedError
        No broker within ``timeout_s`` seconds, or it refuses us.
    """
    return _opened(
        options,
        timeout_s,
        lambda: KafkaProducer(
            **options,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            batch_size=256 * 1024,
            linger_ms=20,
            max_request_size=MAX_REQUEST_BYTES,
            max_block_ms=int(timeout_s * 1000),
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=int(timeout_s * 1000),
            reconnect_backoff_max_ms=_RECONNECT_MAX_MS,
            **more,
        ),
    )


def open_reader(options: ClientOptions, *, timeout_s: float) -> Any:
    """Return a consumer of committed messages outside of any group, which commits nothing.

    Raises
    ------
    BrokerUnavailableError, BrokerRefusedError
        No broker within ``timeout_s`` seconds, or it refuses us.
    """
    return _opened(
        options,
        timeout_s,
        lambda: KafkaConsumer(
            **options,
            group_id=None,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            fetch_max_wait_ms=50,
            max_partition_fetch_bytes=MAX_REQUEST_BYTES,
            bootstrap_timeout_ms=int(timeout_s * 1000),
            reconnect_backoff_max_ms=_RECONNECT_MAX_MS,
        ),
    )


def open_admin(options: ClientOptions, *, timeout_s: float) -> Any:
    """Return an administration client.

    Raises
    ------
    BrokerUnavailableError, BrokerRefusedError
        No broker within ``timeout_s`` seconds, or it refuses us.
    """
    return _opened(options, timeout_s, lambda: KafkaAdminClient(**options, bootstrap_timeout_ms=int(timeout_s * 1000)))


def _opened(options: ClientOptions, timeout_s: float, make: Callable[[], Client]) -> Client:
    _reach(options, timeout_s)
    with hearing() as refusal:
        try:
            return make()
        except KafkaConfigurationError:
            raise
        except KafkaError as error:
            if refusal.reason or isinstance(error, AuthorizationError | SaslAuthenticationFailedError):
                said = refusal.reason or error
                raise BrokerRefusedError(f"Kafka at {_servers(options)} refuses the credentials: {said}") from error
            raise BrokerUnavailableError(
                f"Kafka at {_servers(options)} takes connections but does not let us in: {error} "
                "(is it starting? else check the security protocol, the user, the password and the certificate)"
            ) from error


def _reach(options: ClientOptions, timeout_s: float) -> None:
    """Return once some server takes a connection: the client itself would not say whether any does.

    With TLS, it must also prove who it is: the client would only try again.
    """
    if options.get("proxy_url"):
        return
    deadline = time.monotonic() + timeout_s
    while True:
        for host, port, _ in collect_hosts(options.get("bootstrap_servers", "localhost:9092")):
            try:
                _greet(host, port, options.get("ssl_context"), timeout_s)
                return
            except ssl.SSLCertVerificationError as error:
                reason = error.verify_message.rstrip(".")
                raise BrokerRefusedError(f"the certificate of Kafka at {host}:{port} is refused: {reason}") from error
            except OSError as error:
                reason = error.strerror or str(error)
        if time.monotonic() >= deadline:
            raise BrokerUnavailableError(f"Kafka at {_servers(options)} does not answer: {reason}")
        time.sleep(0.2)


def _greet(host: str, port: int, context: ssl.SSLContext | None, timeout_s: float) -> None:
    with socket.create_connection((host, port), timeout=min(timeout_s, 3.0)) as plain:
        if context is not None:
            plain.settimeout(timeout_s)
            context.wrap_socket(plain, server_hostname=host).close()


def _servers(options: ClientOptions) -> str:
    servers = options.get("bootstrap_servers", "localhost:9092")
    return servers if isinstance(servers, str) else ", ".join(servers)
