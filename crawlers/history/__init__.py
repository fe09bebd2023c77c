"""What earlier crawls have seen of each URL, beside the frontier, which every crawl empties (ADR 0021)."""

from crawlers.history.table import History, NoHistory
from crawlers.history.visits import Bounds, Seen, Visit, visited

__all__ = ["Bounds", "History", "NoHistory", "Seen", "Visit", "visited"]
