"""Scrapy settings: what every crawl has in common, and what a plan decides."""

from __future__ import annotations

from typing import Any

from crawlers.plan import CrawlPlan

BOT_NAME = "guidewatch"
SPIDER_MODULES = ["crawlers.spiders"]
USER_AGENT = "guidewatch/0.1"
ROBOTSTXT_OBEY = True
TWISTED_REACTOR_ENABLED = False
SCHEDULER = "crawlers.scheduler.FrontierScheduler"
ITEM_PIPELINES = {"crawlers.pipelines.SettlePipeline": 100}
DOWNLOAD_HANDLERS_BASE: dict[str, Any] = {}
DOWNLOAD_HANDLERS = {
    "http": "crawlers.handler.GuardedDownloadHandler",
    "https": "crawlers.handler.GuardedDownloadHandler",
}
DOWNLOADER_MIDDLEWARES_BASE: dict[str, int] = {}
DOWNLOADER_MIDDLEWARES = {
    "crawlers.middlewares.row.RowMiddleware": 50,
    "crawlers.middlewares.busy.BusyMiddleware": 75,
    "crawlers.middlewares.robots.RobotsMiddleware": 100,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "crawlers.middlewares.conditional.ConditionalMiddleware": 450,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": 550,
    "crawlers.middlewares.compression.BoundedCompressionMiddleware": 590,
    "crawlers.middlewares.redirects.CountedRedirectMiddleware": 600,
    "crawlers.middlewares.warc.WarcMiddleware": 950,
}
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}
EXTENSIONS_BASE = {"crawlers.throttle.PoliteThrottle": 0}
COOKIES_ENABLED = False
TELNETCONSOLE_ENABLED = False
HTTPPROXY_ENABLED = False
RETRY_TIMES = 2
RETRY_HTTP_CODES = [500, 502, 504, 522, 524, 408]
RETRY_EXCEPTIONS = [
    "scrapy.exceptions.DownloadTimeoutError",
    "scrapy.exceptions.DownloadFailedError",
    "scrapy.exceptions.ResponseDataLossError",
]
RETRY_GIVE_UP_LOG_LEVEL = "DEBUG"
REDIRECT_MAX_TIMES = 5
DOWNLOAD_DELAY_JITTER = 0
DOWNLOAD_WARNSIZE = 0
CONCURRENT_ITEMS = 1
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 64_000_000
DEFAULT_REQUEST_HEADERS = {"Accept": "text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.9,*/*;q=0.5"}
STATS_DUMP = False


def settings_of(plan: CrawlPlan) -> dict[str, Any]:
    """Return the settings of a crawl by ``plan``."""
    common = {name: value for name, value in globals().items() if name.isupper()}
    return {
        **common,
        "USER_AGENT": plan.agent,
        "CONCURRENT_REQUESTS": plan.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": plan.concurrency_per_host,
        "DOWNLOAD_DELAY": plan.delay_s,
        "DOWNLOAD_TIMEOUT": plan.timeout_s,
        "DOWNLOAD_MAXSIZE": plan.max_bytes,
        "AUTOTHROTTLE_ENABLED": plan.delay_s > 0,
        "AUTOTHROTTLE_START_DELAY": plan.delay_s,
        "AUTOTHROTTLE_MAX_DELAY": max(60.0, plan.delay_s),
        "AUTOTHROTTLE_TARGET_CONCURRENCY": float(plan.concurrency_per_host),
    }
