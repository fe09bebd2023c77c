"""Saved objects for Kibana: a data view and a dashboard over the items."""

from dashboards.kibana.objects import saved_objects

__all__ = ["saved_objects"]
