"""The FP16 arithmetic of the counter engine."""
