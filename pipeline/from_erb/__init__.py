"""Makes a configuration from a site's event-routing-backends: its router rows and its settings."""
