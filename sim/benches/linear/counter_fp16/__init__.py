"""Benches of `hw/linear/counter_fp16`."""
