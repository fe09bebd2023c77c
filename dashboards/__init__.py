"""What people see: review app, feeds, Kibana saved objects."""
