"""Configure logging, once, at the entry point."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import msgspec

from guidewatch import settings

_CHATTY = ("elastic_transport", "kafka")
"""Libraries that log a warning, some with a traceback, for each attempt that we count and report ourselves."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "log.level": record.levelname.lower(),
            "log.logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error.stack_trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def configure() -> None:
    """Send log lines to standard error, as the settings say."""
    chosen = settings.load(settings.LogSettings)
    handler = logging.StreamHandler(sys.stderr)
    if chosen.format == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=chosen.level, handlers=[handler], force=True)
    if chosen.level != "DEBUG":
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.ERROR)
