"""The Scrapy project: spiders, guards, extraction, frontier, WARC, publishing."""
