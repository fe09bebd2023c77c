"""Who may come in: tokens, sessions, and patience with those who guess."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from itsdangerous import BadData, URLSafeSerializer

SESSION_S = 12 * 3600


@dataclass(frozen=True)
class Visit:
    """A browser's session; ``analyst`` is empty until somebody signs in."""

    key: str
    analyst: str = ""


class Doorman:
    """Checks tokens and signs sessions.

    Parameters
    ----------
    tokens
        Analyst name to token; both non-empty.
    secret
        Key of all signatures; changing it ends every session.
    clock
        Says what time it is (aware UTC).

    Raises
    ------
    ValueError
        An empty name, token or secret.
    """

    def __init__(self, tokens: Mapping[str, str], secret: str, clock: Callable[[], datetime]) -> None:
        if not secret or not all(name and token for name, token in tokens.items()):
            raise ValueError("the review app needs a secret, and a name and a token for every analyst")
        self._digests = {name: _digest(token) for name, token in tokens.items()}
        self._secret = secret.encode()
        self._signer = URLSafeSerializer(secret, salt="guidewatch.session")
        self._clock = clock
        self._ended: dict[str, float] = {}
        self._lock = threading.Lock()

    def analyst_with(self, token: str) -> str | None:
        """Return whose token this is, or None, in a time that does not depend on which or how nearly."""
        given, found = _digest(token), None
        for name, digest in self._digests.items():
            if hmac.compare_digest(given, digest):
                found = name
        return found

    def cookie(self, analyst: str = "") -> tuple[Visit, str]:
        """Return a new session and the signed value of its cookie."""
        visit = Visit(secrets.token_urlsafe(18), analyst)
        fields = {
            "key": visit.key,
            "analyst": analyst,
            "until": self._now() + SESSION_S,
            "token": self._mark_of(analyst),
        }
        return visit, str(self._signer.dumps(fields))

    def visit(self, cookie: str) -> Visit | None:
        """Return the session in a cookie: None if forged, over, ended, or of a token that has changed since."""
        try:
            fields = self._signer.loads(cookie)
        except BadData:
            return None
        if fields["until"] <= self._now() or fields["token"] != self._mark_of(fields["analyst"]):
            return None
        with self._lock:
            if fields["key"] in self._ended:
                return None
        return Visit(fields["key"], fields["analyst"])

    def end(self, visit: Visit) -> None:
        """Make the session worthless, even to somebody who has copied its cookie."""
        now = self._now()
        with self._lock:
            self._ended = {key: until for key, until in self._ended.items() if until > now}
            self._ended[visit.key] = now + SESSION_S

    def form_token(self, visit: Visit) -> str:
        """Return what every form of this session carries, and no other site can know."""
        return hmac.new(self._secret, b"form " + visit.key.encode(), hashlib.sha256).hexdigest()

    def is_form_token(self, visit: Visit, given: str) -> bool:
        """Return whether a form comes from this session."""
        return hmac.compare_digest(self.form_token(visit).encode(), given.encode("utf-8", "replace"))

    def _mark_of(self, analyst: str) -> str:
        return hmac.new(self._secret, self._digests.get(analyst, b""), hashlib.sha256).hexdigest()[:16]

    def _now(self) -> float:
        return self._clock().timestamp()


class Patience:
    """Counts wrong tokens by client, and tells those who guess to wait, twice as long every time.

    Parameters
    ----------
    clock
        Says what time it is (aware UTC).
    free
        Wrong tokens before the first wait.
    longest_s
        No wait is longer, and mistakes older than this are forgotten.
    """

    def __init__(self, clock: Callable[[], datetime], *, free: int = 5, longest_s: float = 900.0) -> None:
        self._clock, self._free, self._longest_s = clock, free, longest_s
        self._wrong: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, client: str) -> float:
        """Return how many seconds this client is to wait before it tries another token."""
        count, last = self._wrong.get(client, (0, 0.0))
        if count < self._free:
            return 0.0
        pause = min(self._longest_s, 2.0 ** min(count - self._free + 1, 20))
        return max(0.0, last + pause - self._clock().timestamp())

    def wrong(self, client: str) -> None:
        """Note a wrong token."""
        now = self._clock().timestamp()
        with self._lock:
            self._wrong = {key: seen for key, seen in self._wrong.items() if now - seen[1] < self._longest_s}
            self._wrong[client] = (self._wrong.get(client, (0, 0.0))[0] + 1, now)

    def right(self, client: str) -> None:
        """Forget this client's mistakes."""
        with self._lock:
            self._wrong.pop(client, None)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
