"""The job: the graph, the waves, the options, the command line."""
