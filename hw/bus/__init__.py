"""The chip's side of buses: AXI4 to memory, AXI4-Lite from a host."""
