"""How many cycles a linear layer takes, whatever is in it: closed formulas."""


def lookup_beats(
    inputs: int,
    outputs: int,
    outliers: int,
    *,
    inputs_per_beat: int,
    output_lanes: int,
    digits: int,
) -> int:
    """Return the beats of a token in the lookup engine, one a cycle.

    Parameters
    ----------
    inputs, outputs : int
        Size of the layer.
    outliers : int
        On both sides together.
    inputs_per_beat, output_lanes : int
        Size of the engine.
    digits : int
        Of a residual row: each is a beat of its own.
    """
    main = -(-inputs // inputs_per_beat)
    groups = -(-outliers // inputs_per_beat)
    return (main + digits * groups) * -(-outputs // output_lanes)


def outliers_of(inputs: int, percent: float) -> int:
    """Return the outliers of a token on both sides together, where ``percent`` of it are."""
    side = inputs * percent / 200
    return 2 * (int(side) + (side > int(side)))
