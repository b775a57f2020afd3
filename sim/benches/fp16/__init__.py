"""Benches of `hw/fp16`."""
