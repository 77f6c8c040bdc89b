"""A configuration out of a site's event-routing-backends: its router rows and its settings."""
