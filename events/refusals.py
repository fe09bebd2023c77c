"""What a Kafka client hears of a broker that refuses it, for the two rooms that open clients (DESIGN §4)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class Refusal(logging.Handler):
    """Hears that the broker refuses us: the client only logs that, tries again, and in the end says that time is up."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.reason = ""
        """What the broker said; empty where it has not refused."""

    def emit(self, record: logging.LogRecord) -> None:
        """Take the reason out of a line of the client's."""
        text = record.getMessage()
        if "SaslAuthenticationFailedError" in text or "UnsupportedSaslMechanismError" in text:
            self.reason = text.rpartition("Error: ")[2]


@contextmanager
def hearing() -> Iterator[Refusal]:
    """Hear what kafka-python logs while it connects, in place of those who would be told every attempt."""
    logger, handler = logging.getLogger("kafka.net"), Refusal()
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield handler
    finally:
        logger.propagate = True
        logger.removeHandler(handler)
