"""Simulation: drivers, checkers, benches, and the run of a real layer."""
