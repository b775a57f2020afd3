"""The counting engine: how often each pair of indices occurs, times their products."""
