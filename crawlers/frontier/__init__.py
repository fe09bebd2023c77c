"""The frontier: every URL the crawl knows, as rows in SQLite, and the Scrapy scheduler on top of it."""

from crawlers.frontier.rows import Kind, Link, Row, State
from crawlers.frontier.table import Frontier, FrontierError

__all__ = ["Frontier", "FrontierError", "Kind", "Link", "Row", "State"]
