"""Tracking events as xAPI 1.0.3 statements, one module per event family."""
