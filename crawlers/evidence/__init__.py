"""Evidence: what was sent and received, as WARC 1.1."""

from crawlers.evidence.durable import DurableEvidence
from crawlers.evidence.warc import EvidenceError, Exchange, WarcFiles

__all__ = ["DurableEvidence", "EvidenceError", "Exchange", "WarcFiles"]
