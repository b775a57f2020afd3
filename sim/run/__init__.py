"""A layer or a token through simulated Verilog, from files to figures."""
