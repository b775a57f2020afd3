"""Where outliers are worth most: more for some linear layers, fewer for others, as many in all.

An outlier costs a lookup for each output channel. ``o_proj`` and ``down_proj`` have few output
channels and inputs with long tails. ``gate_proj`` and ``up_proj`` have many, and their inputs,
turned (:func:`golden.models.lm.equivalents.turned`), are normal noise beside one large channel.
"""

# No more than all inputs, in two halves.
MOST = 0.5
# Times the mean share; by lookups, their mean over a decoder layer is just below 1, before
# counts are rounded up. Chosen on training text.
FACTORS = {
    "q_proj": 0.8,
    "k_proj": 0.8,
    "v_proj": 0.8,
    "o_proj": 2.4,
    "gate_proj": 0.5,
    "up_proj": 0.5,
    "down_proj": 1.7,
}


def outlier_share(name: str, mean: float) -> float:
    """Return the share of a linear layer's inputs kept exact on each side.

    Parameters
    ----------
    name : str
        Of the layer, as :func:`golden.models.lm.config.linear_layers` has it.
    mean : float
        Share of all, 0 to 0.5.
    """
    return min(FACTORS[name.split(".")[-1]] * mean, MOST)
