"""From sums to FP16 outputs."""
