"""The address guard: which addresses may be connected to, and that nothing else is (SSRF)."""

from crawlers.guard.address import literal_address, refusal
from crawlers.guard.policy import DEFAULT_PORTS, AddressPolicy, GuardRefusedError

__all__ = ["DEFAULT_PORTS", "AddressPolicy", "GuardRefusedError", "literal_address", "refusal"]
