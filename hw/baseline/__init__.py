"""Baselines: arrays that multiply and accumulate, all with the same streams."""
