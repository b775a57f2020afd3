"""Benches of `hw/linear/output`."""
