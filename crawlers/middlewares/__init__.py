"""Downloader middlewares, as a request meets them: row, busy, robots, conditions, compression, redirects, evidence."""
