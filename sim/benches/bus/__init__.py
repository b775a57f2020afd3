"""Benches of `hw/bus`."""
