"""Products looked up, and summed."""
