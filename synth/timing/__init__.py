"""Delay of mapped netlists."""
