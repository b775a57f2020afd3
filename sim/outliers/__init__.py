"""Outlier engines run on tokens, and compared."""
