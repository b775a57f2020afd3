"""Integer arithmetic that many components are made of."""
