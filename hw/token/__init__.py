"""From a token of activations to its codes, scale and residual rows."""
