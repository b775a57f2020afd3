"""A chip on an FPGA board, with what a board has: a button, lamps, a serial line."""
