"""The distributed frontier: what is to be fetched is a topic, spiders are members of its consumer group (ADR 0015)."""
