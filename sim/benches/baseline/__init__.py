"""Benches of `hw/baseline`."""
