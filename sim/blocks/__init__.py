"""The blocks that have a bench, a file for each folder of ``hw``."""
