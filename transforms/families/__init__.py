"""Event families: for each family, the fields that may be read, and the mappings."""
