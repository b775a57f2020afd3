"""Second moments of what a layer reads: what an error in one weight, or in two, costs.

With the bias set right, an output's error is that of the weights times the input's deviation from
its mean, so the moments are centred: a channel that is always large costs nothing. Each token
counts by the inverse of its mean square, or a few with massive activations would decide alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.exact.codebook import FloatArray
from golden.quantise.activation_fit import SeenTokens

# Added to the diagonal, in parts of its mean: calibration is a sample, some channels are silent.
DAMPING = 0.01
# What moving a weight costs beside what it mends, in the same parts: see ``towards``.
RELUCTANCE = 2.0
CHUNK = 4096


@dataclass(frozen=True)
class Regard:
    """What the moments take into account; all of it is better than less.

    Parameters
    ----------
    centred : bool
        Whether the mean is free of charge, for the bias makes it good.
    even : bool
        Whether each token counts alike, however large its activations.
    regress : bool
        Whether weights make up for what the inputs have lost.
    """

    centred: bool = True
    even: bool = True
    regress: bool = True


ALL = Regard()


@dataclass(frozen=True)
class InputMoments:
    """Moments of the values (T, K) that a layer multiplies.

    Parameters
    ----------
    energy : (K,) float64
        Mean square of each input, as it is given, all tokens alike.
    mean : (K,) float64
        Of the values that it reads, centroids and outliers.
    given : (K,) float64
        Of the values before they were quantised.
    shares : (2**n_A, K) float64
        Mean token scale of each input where its index is i, counted over all tokens.
    gram : (K, K) float32
        E[(x - mean)(x - mean)^T], damped, with a diagonal of mean 1.
    towards : (K, K) float64
        Weights (K, N) times this are the real weights that suit the values read best: ridge
        regression of the outputs of the values given. Quantised inputs have lost something that
        is correlated with what is left, so weights a little off give better outputs.
    """

    energy: FloatArray
    mean: FloatArray
    given: FloatArray
    shares: FloatArray
    gram: npt.NDArray[np.float32]
    towards: FloatArray


def input_moments(seen: SeenTokens, codebook: FloatArray, regard: Regard = ALL) -> InputMoments:
    """Return the moments over all tokens.

    Parameters
    ----------
    seen : SeenTokens
    codebook : (2**n_A,) float64
        The activation codebook that ``seen`` was clustered with.
    regard : Regard
    """
    scale = seen.scale.value()
    power = scale**2 * (seen.ratio**2).mean(axis=1)
    power = power if regard.even else np.ones_like(power)
    # A token of zeros has nothing to say; it must not have the last word.
    weight = np.divide(1, power, out=np.zeros_like(power), where=power > 0)
    weight = weight / weight.sum() if weight.any() else np.full_like(power, 1 / len(power))
    values = seen.values(codebook)
    mean = (weight * scale) @ values
    given = (weight * scale) @ seen.ratio
    inputs = len(mean)
    gram, lost = np.zeros((2, inputs, inputs), np.float32)
    unit = np.sqrt((weight * scale**2) @ (values**2).mean(axis=1)) or 1.0
    for at in range(0, len(values), CHUNK):
        part = slice(at, at + CHUNK)
        deviation = values[part] * scale[part, None] - mean * regard.centred
        rows = (deviation * (np.sqrt(weight[part, None]) / unit)).astype(np.float32)
        gram += rows.T @ rows
        gone = (seen.ratio[part] - values[part]) * scale[part, None]
        gone -= (given - mean) * regard.centred
        lost += rows.T @ (gone * (np.sqrt(weight[part, None]) / unit)).astype(np.float32)
    level = float(np.trace(gram)) / inputs
    level = level if level > 0 else 1.0
    gram, lost = gram / np.float32(level), lost.astype(np.float64) / level
    towards = np.eye(inputs)
    if regard.regress:
        towards += np.linalg.solve(gram + RELUCTANCE * np.eye(inputs), lost)
    gram[np.diag_indices(inputs)] += np.float32(DAMPING)
    energy = (scale**2) @ seen.ratio**2 / len(scale)
    place = seen.index * inputs + np.arange(inputs)
    met = np.bincount(place.ravel(), np.repeat(weight * scale, inputs), len(codebook) * inputs)
    shares = np.asarray(met, np.float64).reshape(-1, inputs)
    return InputMoments(energy, mean, given, shares, gram, towards)
