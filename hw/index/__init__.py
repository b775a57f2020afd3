"""Nonlinear operations on 4-bit indices: statistics of vectors, softmax, maps of a codebook."""
