"""The chip: its program, what each instruction does to the bit, and models compiled for it."""
