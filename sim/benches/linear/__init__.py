"""Benches of `hw/linear`."""
