"""The frontier: every URL the crawl knows, as rows in SQLite, and the Scrapy scheduler on top of it."""

from crawlers.frontier.file import FrontierError, FrontierFailedError
from crawlers.frontier.rows import Kind, Lesson, Link, Prospect, Row, State
from crawlers.frontier.table import Frontier

__all__ = [
    "Frontier",
    "FrontierError",
    "FrontierFailedError",
    "Kind",
    "Lesson",
    "Link",
    "Prospect",
    "Row",
    "State",
]
