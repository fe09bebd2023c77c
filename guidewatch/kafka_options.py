"""What every Kafka client of an installation is given: where the brokers are, who we are, and whom we trust."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from guidewatch.errors import UserMistakeError

if TYPE_CHECKING:
    from guidewatch.settings import KafkaSettings


def kafka_options(chosen: KafkaSettings) -> dict[str, Any]:
    """Return options of kafka-python.

    Raises
    ------
    UserMistakeError
        A part of the credentials is missing, or a file of certificates cannot be used.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in chosen.bootstrap_servers.split(",") if server.strip()],
        "security_protocol": chosen.security_protocol,
    }
    if chosen.security_protocol.startswith("SASL_"):
        password = chosen.sasl_password.get_secret_value()
        if not (chosen.sasl_mechanism and chosen.sasl_username and password):
            raise UserMistakeError(
                f"GUIDEWATCH_KAFKA_SECURITY_PROTOCOL is {chosen.security_protocol}: set "
                "GUIDEWATCH_KAFKA_SASL_MECHANISM, GUIDEWATCH_KAFKA_SASL_USERNAME and GUIDEWATCH_KAFKA_SASL_PASSWORD too"
            )
        options |= {
            "sasl_mechanism": chosen.sasl_mechanism,
            "sasl_plain_username": chosen.sasl_username,
            "sasl_plain_password": password,
        }
    if chosen.security_protocol.endswith("SSL"):
        options["ssl_context"] = _context(chosen)
    return options


def _context(chosen: KafkaSettings) -> ssl.SSLContext:
    """Return a context that checks the brokers' certificates and their names; there is no setting to leave that out."""
    try:
        context = ssl.create_default_context(cafile=chosen.ssl_cafile)
    except OSError as error:
        raise _unusable("SSL_CAFILE", chosen.ssl_cafile, error) from error
    if chosen.ssl_certfile:
        try:
            context.load_cert_chain(chosen.ssl_certfile, chosen.ssl_keyfile, chosen.ssl_password.get_secret_value())
        except OSError as error:
            raise _unusable("SSL_CERTFILE", chosen.ssl_certfile, error) from error
    return context


def _unusable(setting: str, path: object, error: OSError) -> UserMistakeError:
    reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    return UserMistakeError(f"GUIDEWATCH_KAFKA_{setting}: {path} cannot be used: {reason or 'no certificate in it'}")
