"""Which fields are personal, where these fields go, and what removes personal values."""
