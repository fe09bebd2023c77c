"""What people see: review app, feeds, Kibana saved objects."""

REVIEW_PORT = 8600
"""Where the review app listens unless it is told otherwise, and where Kibana's links lead."""
