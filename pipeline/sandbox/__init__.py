"""A small working LRS to try things on."""
