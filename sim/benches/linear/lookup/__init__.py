"""Benches of `hw/linear/lookup`."""
