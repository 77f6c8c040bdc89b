"""The forms of values: JSON, texts, IRIs, times."""
