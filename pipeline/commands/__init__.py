"""The commands of the command line, one module each, and what only they need."""
