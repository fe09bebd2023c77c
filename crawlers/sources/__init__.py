"""A file of sources, each with its schedule, and which of them is due."""

from crawlers.sources.file import SourcesError, WatchedSource, parse_sources, read_sources
from crawlers.sources.runs import RunBook, SourceRun
from crawlers.sources.schedule import due_at, in_order

__all__ = [
    "RunBook",
    "SourceRun",
    "SourcesError",
    "WatchedSource",
    "due_at",
    "in_order",
    "parse_sources",
    "read_sources",
]
