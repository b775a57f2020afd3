"""Benches of `hw/linear/counter`."""
