"""Evidence: what was asked, sent and received, as WARC 1.1."""

from crawlers.evidence.durable import DurableEvidence
from crawlers.evidence.records import Exchange, Resolution
from crawlers.evidence.warc import EvidenceError, FileLimit, WarcFiles

__all__ = ["DurableEvidence", "EvidenceError", "Exchange", "FileLimit", "Resolution", "WarcFiles"]
