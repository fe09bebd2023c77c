"""URLs without what must not be sent and what only hides that two are the same page."""

from __future__ import annotations

import re

_USER_INFO = re.compile(r"^(https?://)[^/?#]*@", re.IGNORECASE)
_SESSION = re.compile(r";(?:jsessionid|phpsessid|sessionid|sid)=[^/?#;]*|/\(S\([a-z0-9]{8,64}\)\)(?=/)", re.IGNORECASE)


def without_user_info(url: str) -> str:
    """Return ``url`` without the user name and password in front of its host."""
    return _USER_INFO.sub(r"\1", url, count=1) if "@" in url else url


def bare_url(url: str) -> str:
    """Return ``url`` without user info, and without session ids in its path (``;jsessionid=…``, ``/(S(…))/``).

    A server that hands such an id out hands out a new one to who comes without. Ids in the query are left, since a
    page may need them; `events.normalise_url` takes them out of the page's identity.
    """
    url = without_user_info(url)
    if ";" not in url and "/(" not in url:
        return url
    path, mark, query = url.partition("?")
    return _SESSION.sub("", path) + mark + query
