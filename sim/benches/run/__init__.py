"""Benches that run a whole layer or token and keep what came out."""
