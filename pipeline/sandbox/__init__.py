"""A small real LRS to try things on."""
