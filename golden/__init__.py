"""The NumPy reference: what every block computes, to the bit."""
