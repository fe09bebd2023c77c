"""Items, ledger and decisions in Elasticsearch: the distributed store, with an index a month."""

from storage.elastic.store import ElasticStore

__all__ = ["ElasticStore"]
