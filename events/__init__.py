"""The messages that travel between the stages, their codec, identity and topic names.

Everything above this package speaks in these types; this package imports nothing of ours.
"""

from events.codec import PoisonError, decode, encode
from events.crawls import CrawlShare, CrawlState, PartitionProgress, RequestDone
from events.identity import content_id, host_key, normalise_url, page_id
from events.messages import (
    CONTEXTS,
    DECISIONS,
    METHODS,
    OUTCOMES,
    SUBJECTS,
    TECHNIQUES,
    CrawlRequest,
    Evidence,
    LabelRecorded,
    Nearest,
    PageFound,
    PageJudged,
    Passage,
    UrlEnded,
    Verdict,
    new_id,
)
from events.topics import MAX_MESSAGE_BYTES, Topics

__all__ = [
    "CONTEXTS",
    "DECISIONS",
    "MAX_MESSAGE_BYTES",
    "METHODS",
    "OUTCOMES",
    "SUBJECTS",
    "TECHNIQUES",
    "CrawlRequest",
    "CrawlShare",
    "CrawlState",
    "Evidence",
    "LabelRecorded",
    "Nearest",
    "PageFound",
    "PageJudged",
    "PartitionProgress",
    "Passage",
    "PoisonError",
    "RequestDone",
    "Topics",
    "UrlEnded",
    "Verdict",
    "content_id",
    "decode",
    "encode",
    "host_key",
    "new_id",
    "normalise_url",
    "page_id",
]
