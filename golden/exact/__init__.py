"""The exact reference: what every block computes, to the bit."""
