"""Benches of `hw/linear/shell`."""
