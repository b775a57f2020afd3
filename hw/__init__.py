"""Amaranth components, one block a file."""
