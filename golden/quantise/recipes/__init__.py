"""Recipes: how scales, codebooks and indices of the weights are found, offline."""
