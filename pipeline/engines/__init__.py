"""Flink and Dataflow: the same graph as one pipeline that delivers from keyed state."""
