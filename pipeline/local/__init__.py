"""On this machine: worker processes run waves and keep the results in the state directory; the parent process sends."""
