"""How wide table entries must be: the arithmetic error against that of the codebooks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from golden.accuracy.error_split import study
from golden.models.layer_source import model_layers


@dataclass(frozen=True)
class Width:
    """Errors over layers at one width. Relative to the centred outputs' root mean square.

    Parameters
    ----------
    magnitude_bits : int
        Of a table entry beside its sign.
    layers : int
    below_tenth : int
        Layers whose arithmetic error is below a tenth of the quantisation error.
    largest_ratio, mean_ratio : float
        Arithmetic over quantisation error.
    quantisation : float
        Mean over the layers; with codebooks that have made room for the table.
    total : float
        Mean of both errors together.
    """

    magnitude_bits: int
    layers: int
    below_tenth: int
    largest_ratio: float
    mean_ratio: float
    quantisation: float
    total: float


def width_curve(
    names: Sequence[str],
    widths: Sequence[int],
    *,
    symmetric: bool,
    tokens: int,
    seed: int,
    model: str = "minilm",
    tuning: bool = False,
    report: Callable[[], object],
) -> list[Width]:
    """Quantise layers of a model at each width and return what becomes of the errors.

    Parameters
    ----------
    names : sequence of str
        Layers.
    widths : sequence of int
        Magnitude bits.
    symmetric : bool
    tokens : int
        To measure on.
    seed : int
        Chooses the texts.
    model : str
        A name in :data:`golden.models.table.MODELS`.
    tuning : bool
        Whether to measure on the text that methods are chosen on.
    report : callable
        Called after each layer.
    """
    layers = list(model_layers(names, tokens, None, seed, model, tuning=tuning))
    curve = []
    for bits in widths:
        splits = []
        for _, split in study(layers, symmetric=symmetric, magnitude_bits=bits):
            splits.append(split)
            report()
        ratios = np.array([s.ratio for s in splits])
        quantisation = np.array([s.quantisation / s.output for s in splits])
        both = quantisation * np.sqrt(1 + ratios**2)
        curve.append(
            Width(
                magnitude_bits=bits,
                layers=len(splits),
                below_tenth=int((ratios < 0.1).sum()),
                largest_ratio=float(ratios.max()),
                mean_ratio=float(ratios.mean()),
                quantisation=float(quantisation.mean()),
                total=float(both.mean()),
            )
        )
    return curve
