"""Everything that touches a disk or a network: sources, the outbox, the senders, dead letters, secrets."""
