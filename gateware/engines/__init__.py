"""What runs a layer on an engine: words that load it, memory images, golden outputs, cycles."""
