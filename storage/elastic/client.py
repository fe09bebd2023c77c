"""The client, and what its errors mean to a caller: try again later, or ask a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from elastic_transport import TlsError
from elasticsearch import (
    ApiError,
    AuthenticationException,
    AuthorizationException,
    Elasticsearch,
    NotFoundError,
    TransportError,
    UnsupportedProductError,
)
from elasticsearch.serializer import OrjsonSerializer

from storage.port import StoreRejectedError, StoreUnavailableError

OVERLOADED = frozenset({408, 429, 502, 503, 504})
"""Status codes that mean: the same call may succeed later."""

RETRY_AFTER_S = 5.0


class _CompatibleOrjson(OrjsonSerializer):
    mimetype = "application/vnd.elasticsearch+json"


class Connection:
    """A client, and the words for its failures.

    Parameters
    ----------
    options
        Arguments of `elasticsearch.Elasticsearch`: ``hosts``, ``basic_auth``, ``ca_certs`` and so on.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        defaults = {"request_timeout": 20.0, "max_retries": 1}
        serializers = [OrjsonSerializer(), _CompatibleOrjson()]
        try:
            self.client = Elasticsearch(
                **{**defaults, **options}, serializers={one.mimetype: one for one in serializers}
            )
        except (TypeError, ValueError) as error:
            raise StoreRejectedError(f"the settings of Elasticsearch are wrong: {error}") from error
        self.address = ", ".join(node.base_url for node in self.client.transport.node_pool.all())

    @contextmanager
    def translated(self) -> Iterator[Elasticsearch]:
        """Yield the client, and raise the port's errors in place of its own."""
        try:
            yield self.client
        except TlsError as error:
            raise StoreRejectedError(f"Elasticsearch at {self.address} is not trusted: {_line(error)}") from error
        except TransportError as error:
            message = f"Elasticsearch at {self.address} cannot be reached: {_line(error)}"
            raise StoreUnavailableError(message, RETRY_AFTER_S) from error
        except ApiError as error:
            raise self._of_status(error) from error

    def _of_status(self, error: ApiError) -> Exception:
        where = f"Elasticsearch at {self.address}"
        if isinstance(error, AuthenticationException):
            return StoreRejectedError(f"{where} does not accept the user name or the password")
        if isinstance(error, AuthorizationException):
            return StoreRejectedError(f"{where} forbids this: {_reason(error)}")
        if isinstance(error, UnsupportedProductError):
            return StoreRejectedError(f"{where} is not Elasticsearch")
        if isinstance(error, NotFoundError):
            return StoreRejectedError(f"{where} has not been set up: {_reason(error)}")
        if error.status_code in OVERLOADED or error.status_code >= 500:
            return StoreUnavailableError(f"{where} cannot answer now: {_reason(error)}", RETRY_AFTER_S)
        return StoreRejectedError(f"{where} refuses the call: {_reason(error)}")


def _line(error: TransportError) -> str:
    return str(error.message).splitlines()[0]


def _reason(error: ApiError) -> str:
    body: Any = error.body
    found = body.get("error") if isinstance(body, dict) else None
    if isinstance(found, dict):
        causes = found.get("root_cause") or [found]
        return str(causes[0].get("reason") or error.message)
    return f"status {error.status_code}"
