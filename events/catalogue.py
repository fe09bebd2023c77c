"""Which struct each schema name stands for."""

from __future__ import annotations

from events import crawls, messages

EVENT_TYPES: dict[str, type] = {
    "request/1": messages.CrawlRequest,
    "ended/1": messages.UrlEnded,
    "page/1": messages.PageFound,
    "judged/1": messages.PageJudged,
    "label/1": messages.LabelRecorded,
    "crawl/1": crawls.CrawlState,
    "done/1": crawls.RequestDone,
    "progress/1": crawls.PartitionProgress,
}
"""Type of each ``name/major``; a minor version (``page/1.2``) maps to its major."""
