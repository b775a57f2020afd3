"""Designs placed and routed in an FPGA."""
