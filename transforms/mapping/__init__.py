"""How mappings are written and carried out: rows, their compiler, what both protocols share of statements."""
