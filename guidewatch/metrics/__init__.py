"""What processes show of themselves: Prometheus metrics, and answers to health checks (docs/operations.md)."""
