"""Energy of netlists on real tokens."""
