"""AutoThrottle that keeps to the crawl-delay of robots.txt."""

from __future__ import annotations

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.extensions.throttle import AutoThrottle
from scrapy.http import Response


class PoliteThrottle(AutoThrottle):
    """Adapts each host's delay to its latency, and never below what `keep_delay` was told."""

    def _response_downloaded(self, response: Response, request: Request, spider: Spider) -> None:
        super()._response_downloaded(response, request, spider)
        key, slot = self._get_slot(request, spider)
        if slot is not None:
            own = self.crawler.engine.downloader.per_slot_settings.get(key or "", {})
            slot.delay = max(slot.delay, own.get("delay", 0.0))


def keep_delay(crawler: Crawler, host: str, delay_s: float) -> None:
    """Leave at least ``delay_s`` seconds between two requests to ``host``, also where its slot is made anew."""
    downloader = crawler.engine.downloader
    downloader.per_slot_settings[host] = {"delay": delay_s}
    if host in downloader.slots:
        downloader.slots[host].delay = max(downloader.slots[host].delay, delay_s)
