"""Area of each design: flow, mapping, cache, baseline."""
