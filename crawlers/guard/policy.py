"""Which URL, and which address behind it, this crawl may connect to."""

from __future__ import annotations

from yarl import URL

from crawlers.guard.address import METADATA, Address, is_metadata, is_obscure, literal_address, refusal

DEFAULT_PORTS = frozenset({80, 443, 8080, 8443})


class GuardRefusedError(Exception):
    """The guard forbids this URL; ``reason`` is short and stable, such as ``guard: private address``."""

    def __init__(self, why: str) -> None:
        super().__init__(f"guard: {why}")
        self.reason = f"guard: {why}"


class AddressPolicy:
    """The rules of one crawl.

    Parameters
    ----------
    allow_private
        ``host:port`` keys, in lower case, that are exempt from all rules but one; ``"*"`` lets every address pass
        that is not public. The addresses at which clouds hand out credentials are always refused.
    public
        Whether public addresses may be reached at all (a crawl without a contact must not).
    ports
        The ports of public addresses that may be connected to.
    """

    def __init__(
        self, allow_private: frozenset[str], *, public: bool = True, ports: frozenset[int] = DEFAULT_PORTS
    ) -> None:
        self._exempt = frozenset(key.lower() for key in allow_private)
        self._any_private = "*" in allow_private
        self._public = public
        self._ports = ports

    def exempts(self, host: str, port: int) -> bool:
        """Return whether this very host and port is exempt."""
        return f"{host}:{port}".lower() in self._exempt

    def check_address(self, host: str, port: int, address: Address) -> None:
        """Raise `GuardRefusedError` if ``host:port`` must not be reached at ``address``."""
        if is_metadata(address):
            raise GuardRefusedError(METADATA)
        if self.exempts(host, port):
            return
        why = refusal(address)
        if why is not None and not self._any_private:
            raise GuardRefusedError(why)
        if why is None and not self._public:
            raise GuardRefusedError("no contact address")
        if why is None and port not in self._ports:
            raise GuardRefusedError("port")

    def check_url(self, url: str) -> None:
        """Raise `GuardRefusedError` if ``url`` is forbidden by what it says, before any name is resolved."""
        try:
            parsed = URL(url)
            host, port = parsed.raw_host, parsed.port
        except ValueError as error:
            raise GuardRefusedError("malformed URL") from error
        if parsed.scheme not in ("http", "https") or not host or port is None:
            raise GuardRefusedError("scheme")
        if is_obscure(host):
            raise GuardRefusedError("obscure address")
        shown = f"[{host}]" if ":" in host else host
        address = literal_address(host)
        if address is not None:
            self.check_address(shown, port, address)
        elif not self._any_private and not self.exempts(shown, port):
            self._check_public_name(port)
        if parsed.raw_user is not None or parsed.raw_password is not None:
            raise GuardRefusedError("user info")

    def _check_public_name(self, port: int) -> None:
        """Refuse a name that, wherever it leads, may not be reached: there is no need to look it up."""
        if not self._public:
            raise GuardRefusedError("no contact address")
        if port not in self._ports:
            raise GuardRefusedError("port")
