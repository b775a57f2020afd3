"""Benches of `hw/stream`."""
