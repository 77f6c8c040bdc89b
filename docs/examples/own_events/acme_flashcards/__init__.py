"""Events of the flashcards of Acme University. Nothing is imported here."""
