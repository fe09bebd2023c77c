"""Evidence: what was sent and received, as WARC 1.1."""

from crawlers.evidence.warc import EvidenceError, Exchange, WarcFiles

__all__ = ["EvidenceError", "Exchange", "WarcFiles"]
