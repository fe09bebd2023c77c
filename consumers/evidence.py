"""The evidence stage: the WARC records of flagged pages → vault."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from consumers.stage import Handled, Record, Rejection, StageUnavailableError
from consumers.vault import EvidenceMissingError, EvidenceRefusedError, Vault
from events import PageJudged, Topics, UrlEnded

log = logging.getLogger(__name__)


class EvidenceStage:
    """Keeps the records of flagged pages.

    A record that is not there yet is waited for until the judgement is ``patience_s`` old; one that is still not there,
    or is not what the event says, goes to the dead letters. Neither changes what became of the page.

    Parameters
    ----------
    vault
        Written to.
    topics
        Names.
    clock
        Returns now, aware UTC.
    patience_s
        How long a record may be missing, in seconds.
    slice_size
        Records in one call; a stop is heeded between calls.
    """

    name: str = "evidence"
    accepts: tuple[type, ...] = (PageJudged, UrlEnded)
    writes: tuple[str, ...] = ()

    def __init__(
        self,
        vault: Vault,
        topics: Topics,
        clock: Callable[[], datetime],
        *,
        patience_s: float = 60.0,
        slice_size: int = 50,
    ) -> None:
        self.topics: tuple[str, ...] = (topics.pages_judged,)
        self.slice_size = slice_size
        self._vault = vault
        self._clock = clock
        self._patience = timedelta(seconds=patience_s)

    def handle(self, records: Sequence[Record]) -> Handled:
        """Copy what the flagged pages name; durable on return, no outputs."""
        handled = Handled()
        missing: list[tuple[Record, str]] = []
        for record in records:
            if not isinstance(record.event, PageJudged) or not record.event.verdict.flagged:
                continue
            try:
                self._keep(record, record.event)
            except EvidenceRefusedError as error:
                handled.rejected.append(Rejection(record, type(error).__name__, str(error)))
            except EvidenceMissingError as error:
                if abs(self._clock() - record.event.at) > self._patience:
                    handled.rejected.append(Rejection(record, type(error).__name__, str(error)))
                else:
                    missing.append((record, str(error)))
            except OSError as error:
                raise StageUnavailableError(f"the vault cannot be used: {error}") from error
        if missing:
            record, reason = missing[0]
            raise StageUnavailableError(f"{reason} ({record})", retry_after_s=1.0, place=record.place)
        return handled

    def _keep(self, record: Record, page: PageJudged) -> None:
        if page.evidence is None:
            log.warning("flagged page names no evidence: %s", record, extra=record.place)
            return
        self._vault.keep(page.evidence, page_id=page.page_id, url=page.url, at=self._clock())
