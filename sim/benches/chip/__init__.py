"""Benches of `hw/chip`."""
