"""Which fields are personal, where they go, and what takes them out."""
