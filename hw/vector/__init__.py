"""Functions of FP16 numbers, and scalars of vectors."""
