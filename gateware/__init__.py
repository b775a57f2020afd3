"""Complete designs: the named design points and their Verilog."""
