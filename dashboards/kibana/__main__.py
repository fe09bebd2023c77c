"""Write ``guidewatch.ndjson`` anew."""

from dashboards.kibana.objects import FILE, saved_objects

FILE.write_bytes(saved_objects())
