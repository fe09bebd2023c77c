"""Which errors are the user's mistakes (exit status 2) and which are failures (1); each gets one line, no traceback."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

DONE = 0
FAILED = 1
MISTAKE = 2


class UserMistakeError(ValueError):
    """What the user asked for cannot be done as asked; the message says what is wrong and what to do."""


class CommandFailedError(RuntimeError):
    """The command could not do its work; the message is one line."""


MISTAKES = frozenset(
    {
        "guidewatch.errors.UserMistakeError",
        "guidewatch.settings.SettingsError",
        "crawlers.seeds.SeedsError",
        "crawlers.plan.PlanError",
        "crawlers.guard.off_limits.OffLimitsError",
        "crawlers.run.DataFolderError",
        "classifier.registry.ModelError",
        "classifier.encoders.protocol.EncoderError",
        "classifier.examples.CorpusError",
        "consumers.connection.BrokerRefusedError",
        "crawlers.distributed.client.CrawlOverError",
        "crawlers.distributed.client.UnknownCrawlError",
        "crawlers.distributed.connection.KafkaRefusedError",
        "consumers.vault.keys.VaultKeyError",
        "storage.port.StoreRejectedError",
    }
)
"""By name, so that the way to a clear line does not lead through importing every room."""

FAILURES = frozenset(
    {
        "guidewatch.errors.CommandFailedError",
        "consumers.connection.BrokerUnavailableError",
        "consumers.vault.handing_over.HandOverError",
        "consumers.vault.records.EvidenceRefusedError",
        "crawlers.distributed.connection.KafkaUnavailableError",
        "crawlers.evidence.warc.EvidenceError",
        "crawlers.sink.SinkUnavailableError",
        "storage.port.StoreUnavailableError",
        "builtins.OSError",
    }
)


def status_of(error: BaseException) -> int | None:
    """Return the exit status of a known error, or None for one that nobody expected."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    if names & MISTAKES:
        return MISTAKE
    return FAILED if names & FAILURES else None


class Stopped(BaseException):
    """SIGTERM or Ctrl-C; ``args[0]`` is the number of the signal."""


def _interrupt(number: int, _: FrameType | None) -> None:
    raise Stopped(number)


@contextmanager
def one_line() -> Iterator[None]:
    """Turn known errors of the block into one line on standard error and the exit status; so with SIGTERM and Ctrl-C.

    Commands that have something to finish in good order take the signals themselves.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        yield
    except Stopped as stopped:
        sys.stderr.write("guidewatch: stopped; what was not finished was not written\n")
        raise SystemExit(128 + stopped.args[0]) from None
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone: nothing to say, and nobody to say it to
        raise SystemExit(FAILED) from None
    except Exception as error:
        status = status_of(error)
        if status is None:
            raise
        sys.stderr.write(f"guidewatch: {' '.join(str(error).split())}\n")
        raise SystemExit(status) from error
