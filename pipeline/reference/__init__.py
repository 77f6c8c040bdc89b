"""Pages that are made of what the code declares: the table of events and the list of fields."""
