"""Benches of `hw/topk/orizuru`."""
