"""On this machine: waves in worker processes, which end in the state directory, and the senders' process."""
