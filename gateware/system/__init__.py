"""Whole models on whole chips: tokens per second and joules, of exact cycles."""
