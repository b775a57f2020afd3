"""cocotb benches for hw.board."""
