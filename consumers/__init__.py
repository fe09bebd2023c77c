"""Kafka processes (classify, index, label, evidence) on the one consume loop."""
