"""The typed source events: which fields of an event may be read."""
