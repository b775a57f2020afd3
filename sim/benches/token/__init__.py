"""Benches of `hw/token`."""
