"""The state directory: one SQLite database with what was read, what is known, what waits and what happened
(``open_state``)."""
