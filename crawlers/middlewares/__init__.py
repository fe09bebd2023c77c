"""Downloader middlewares, in the order in which a request meets them: row, robots, redirects, evidence."""
