"""The state directory: one SQLite database with the input that was read, the known ids, the statements that wait, and the counts
(``open_state``)."""
