"""Dead letters: their schema and files, a topic for them, and the marks of those sent again."""
