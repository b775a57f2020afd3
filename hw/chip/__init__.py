"""The chip: what fetches instructions, moves data, and puts the engine to work."""
