"""The keys of courses and of blocks in courses, as Open edX writes them, and the texts that hold a key."""
