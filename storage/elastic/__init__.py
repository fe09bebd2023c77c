"""Items, ledger and decisions in Elasticsearch: the distributed store, one index for each."""

from storage.elastic.store import ElasticStore

__all__ = ["ElasticStore"]
