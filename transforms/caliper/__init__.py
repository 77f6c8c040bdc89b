"""Tracking events as Caliper 1.2 events, one module per event family."""
