"""Configure logging, once, at the entry point."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

from guidewatch import settings
from guidewatch.output import whole

_CHATTY = ("elastic_transport", "kafka")
"""Libraries that log a warning, some with a traceback, for each attempt that we count and report ourselves."""

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; what is there beyond was given as ``extra``."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the fields of ``extra``, and the traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "log.level": record.levelname.lower(),
            "log.logger": record.name,
            "message": whole(record.getMessage()),
        }
        given = {whole(name): _encoded(value) for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            line["error.stack_trace"] = whole(self.formatException(record.exc_info))
        return msgspec.json.encode(given | line).decode()


def _encoded(value: Any) -> msgspec.Raw:
    """Return ``value`` as JSON; what has no such form, or not a whole one, as text."""
    try:
        return msgspec.Raw(msgspec.json.encode(value, enc_hook=str))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return msgspec.Raw(msgspec.json.encode(whole(str(value))))


def _one_line(record: logging.LogRecord) -> bool:
    """Put the error in place of the traceback where a chatty library logs one: its own sources help nobody here."""
    if record.exc_info and record.name.partition(".")[0] in _CHATTY:
        record.msg, record.args = f"{record.getMessage()}: {record.exc_info[1]!r}", ()
        record.exc_info = record.exc_text = None
    return True


def configure() -> None:
    """Send log lines to standard error, as the settings say."""
    chosen = settings.load(settings.LogSettings)
    handler = logging.StreamHandler(sys.stderr)
    if chosen.level != "DEBUG":
        handler.addFilter(_one_line)
    if chosen.format == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=chosen.level, handlers=[handler], force=True)
    if chosen.level != "DEBUG":
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.ERROR)
