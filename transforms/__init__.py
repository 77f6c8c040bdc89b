"""What happens to an event: pure functions, without I/O and without a Beam runner."""
