"""Real models in NumPy, their text, and the layers that come from them."""
