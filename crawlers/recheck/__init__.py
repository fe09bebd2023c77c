"""What one more look at a page says: is it there, has it changed, is it gone."""

from crawlers.recheck.findings import Finding, finding_of, found_dns, found_elsewhere
from crawlers.recheck.parked import is_parked

__all__ = ["Finding", "finding_of", "found_dns", "found_elsewhere", "is_parked"]
