"""A cocotb bench per component."""
