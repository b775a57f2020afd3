"""Benches of `hw/topk`."""
