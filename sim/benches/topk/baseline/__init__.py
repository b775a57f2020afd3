"""Benches of `hw/topk/baseline`."""
