"""Offline quantisation: codebooks, indices, scales and tables of a layer."""
