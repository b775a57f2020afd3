"""Outlier engines: the largest and the smallest activations of a token."""
