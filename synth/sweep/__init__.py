"""Grids of design points: what each costs and does, measured on Dask."""
