"""Summaries for the Working Group: no excerpts, URLs only defanged and only where restricted."""
