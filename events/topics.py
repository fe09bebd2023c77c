"""Topic names, with the optional prefix that lets several installations share a broker."""

from __future__ import annotations

from dataclasses import dataclass

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Largest value that a topic of ours takes (`guidewatch setup` sets it)."""


@dataclass(frozen=True)
class Topics:
    """Names of all topics of one installation.

    Parameters
    ----------
    prefix
        Put in front of every name with a dot; empty for none.
    """

    prefix: str = ""

    def _name(self, name: str) -> str:
        return f"{self.prefix}.{name}" if self.prefix else name

    @property
    def crawl_requests(self) -> str:
        """URLs to fetch, keyed by host."""
        return self._name("crawl.requests")

    @property
    def crawl_ended(self) -> str:
        """``RequestDone``, partition by partition as ``crawl.requests``."""
        return self._name("crawl.ended")

    @property
    def crawl_progress(self) -> str:
        """``PartitionProgress``, keyed by partition; compacted, one partition."""
        return self._name("crawl.progress")

    @property
    def crawls(self) -> str:
        """``CrawlState``, keyed by crawl id; compacted, one partition."""
        return self._name("crawls")

    @property
    def pages_found(self) -> str:
        """``PageFound`` and ``UrlEnded``, keyed by page id."""
        return self._name("pages.found")

    @property
    def pages_judged(self) -> str:
        """``PageJudged`` and ``UrlEnded``, keyed by page id."""
        return self._name("pages.judged")

    @property
    def labels_recorded(self) -> str:
        """``LabelRecorded``, keyed by page id."""
        return self._name("labels.recorded")

    def dead_letters(self, topic: str) -> str:
        """Return the dead-letter topic of ``topic``."""
        return f"{topic}.dlq"

    def all(self) -> list[str]:
        """Return every topic with its dead-letter topic, in the order of the pipeline."""
        names = [self.crawl_requests, self.pages_found, self.pages_judged, self.labels_recorded]
        frontier = [self.crawl_ended, self.crawl_progress, self.crawls]
        return [*frontier, *(name for topic in names for name in (topic, self.dead_letters(topic)))]
