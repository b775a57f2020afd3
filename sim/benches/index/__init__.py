"""Benches of `hw/index`."""
