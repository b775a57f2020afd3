"""Bare C++ around Verilator's model, for millions of cycles."""
