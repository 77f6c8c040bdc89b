"""Statements on their way out: blocks, shards, ids that came before."""
