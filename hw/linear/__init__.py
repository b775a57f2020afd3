"""Linear engines: their common shell and the datapaths inside it."""
