"""Who gets an event."""
