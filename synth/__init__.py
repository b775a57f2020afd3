"""Synthesis: area and delay of each design in a standard-cell library."""
