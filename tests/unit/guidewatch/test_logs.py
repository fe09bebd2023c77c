import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guidewatch.logs import JsonFormatter, configure


def line(message="page kept", *arguments, extra=None, exc_info=None):
    record = logging.getLogger("test").makeRecord(
        "test", logging.WARNING, __file__, 1, message, arguments, exc_info, extra=extra
    )
    formatted = JsonFormatter().format(record)
    assert "\n" not in formatted
    return json.loads(formatted)


def test_a_line_says_when_who_how_bad_and_what():
    assert line("%d pages", 3).keys() == {"@timestamp", "log.level", "log.logger", "message"}
    assert line("%d pages", 3)["message"] == "3 pages"
    assert line()["log.level"] == "warning"


def test_the_fields_of_extra_are_in_the_line():
    extra = {"topic": "pages.found", "partition": 0, "offset": 7, "page_id": "ab", "lag": {"a": [1, 2.5, None]}}
    found = line(extra=extra)
    assert {name: found[name] for name in extra} == extra


def test_what_has_no_form_in_json_is_in_the_line_as_text():
    at = datetime(2026, 11, 24, tzinfo=UTC)
    found = line(extra={"path": Path("/data"), "at": at, "spider": int, "set": {1}, "half": ["\ud800"], "s": "\udfff"})
    assert (found["path"], found["at"], found["set"]) == ("/data", "2026-11-24T00:00:00Z", [1])
    assert found["spider"] == "<class 'int'>"
    assert (found["half"], found["s"]) == (r"['\ud800']", "\ufffd")


def test_extra_does_not_take_the_place_of_what_a_line_always_has():
    assert line(extra={"log.level": "none", "@timestamp": "never"})["log.level"] == "warning"


def test_the_traceback_is_in_the_line():
    try:
        raise RuntimeError("no \ud800")
    except RuntimeError:
        found = line(exc_info=sys.exc_info())
    assert "RuntimeError: no" in found["error.stack_trace"]


@pytest.mark.parametrize("level", ["WARNING", "DEBUG"])
def test_a_library_that_logs_tracebacks_gets_one_line_unless_somebody_debugs(level, monkeypatch, capsys):
    monkeypatch.setenv("GUIDEWATCH_LOG_LEVEL", level)
    root, kafka = logging.getLogger(), logging.getLogger("kafka")
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    monkeypatch.setattr(kafka, "level", kafka.level)
    monkeypatch.setattr(logging.getLogger("elastic_transport"), "level", 0)
    configure()
    try:
        raise ConnectionResetError(104, "reset %s by peer")
    except ConnectionResetError:
        logging.getLogger("kafka.net.transport").exception("%s: receiving", "conn 1")
        logging.getLogger("guidewatch.own").exception("our own")
    library, _, own = capsys.readouterr().err.partition("our own")
    assert "conn 1: receiving" in library
    assert "reset %s by peer" in library
    assert ("Traceback" in library) == (level == "DEBUG")
    assert "Traceback" in own
