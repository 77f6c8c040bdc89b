"""How mappings are written and carried out: rows, the compiler of rows, and what the statements of both protocols share."""
