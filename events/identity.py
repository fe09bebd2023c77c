"""What makes two URLs the same page, and two pages the same text."""

from __future__ import annotations

import hashlib
import re

from yarl import URL

_TRACKING = re.compile(
    r"^(utm_\w+|gclid|fbclid|yclid|msclkid|mc_[ce]id|igshid|phpsessid|jsessionid|sid|sessionid|_ga|ref_src)$",
    re.IGNORECASE,
)
_HOST = re.compile(r"^[0-9a-z._:%\[\]~-]+$", re.IGNORECASE)


def normalise_url(url: str) -> str:
    """Return the form of ``url`` that decides identity.

    Scheme and host in lower case (IDNA), default port, fragment, user info, tracking and session parameters
    dropped, query sorted, path dots resolved, percent-encoding normalised. Never used for fetching.

    Raises
    ------
    ValueError
        ``url`` is not an absolute http or https URL.
    """
    try:
        parsed = URL(url.strip())
        host = parsed.raw_host
        if parsed.scheme not in ("http", "https") or not host or not _HOST.match(host):
            raise ValueError(f"not an http(s) URL: {url!r}")
        query = sorted((k, v) for k, v in parsed.query.items() if not _TRACKING.match(k))
        bare = parsed.with_fragment(None).with_user(None).with_query(query or None)
        return str(bare.with_path("/", keep_query=True) if bare.raw_path == "/" else bare)
    except (ValueError, TypeError) as error:
        raise ValueError(f"not an http(s) URL: {url!r}") from error


def page_id(url: str) -> str:
    """Return the page id: 128 bits of SHA-256 of the normalised URL, in hexadecimal."""
    return hashlib.sha256(normalise_url(url).encode()).hexdigest()[:32]


def content_id(text: str) -> str:
    """Return the content id: 128 bits of SHA-256 of the text with white space folded, in hexadecimal."""
    folded = " ".join(text.split())
    return hashlib.sha256(folded.encode("utf-8", "replace")).hexdigest()[:32]


def host_key(url: str) -> str:
    """Return the host of ``url`` in lower case, with its port where that is not the scheme's default.

    Raises
    ------
    ValueError
        ``url`` is not an absolute http or https URL.
    """
    parsed = URL(normalise_url(url))
    host = parsed.raw_host or ""
    if ":" in host:
        host = f"[{host}]"
    return host if parsed.is_default_port() else f"{host}:{parsed.port}"
