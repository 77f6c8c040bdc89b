"""The configuration: read from YAML, checked as a whole, watched; its reference page and its schema."""
