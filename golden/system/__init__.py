"""Whole models in memory and time: their shapes, memories outside the chip, published figures."""
