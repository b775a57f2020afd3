"""Orizuru, the outlier engine: streaming, unit and tree."""
