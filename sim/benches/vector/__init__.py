"""Benches of `hw/vector`."""
