"""IEEE 754 binary16 units."""
