"""What becomes of a person's id, and of a course's name."""
