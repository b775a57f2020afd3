"""Scales and codebook that suit given indices best: least squares, in one step each."""

import numpy as np

from golden.quantise.recipes.descent import Indices, Matrix

# Output channels that the codebook is fitted to: it has 16 numbers, so a sample says enough.
COLUMNS = 256
# Keeps a level that no weight uses where it is.
STEADY = 1e-4


def better_scales(z: Matrix, gram: Matrix, codebook: Matrix, index: Indices) -> Matrix:
    """Return by what each output channel's scale (N,) is to be multiplied; positive."""
    values = codebook[index]
    seen = gram @ values
    wanted, power = (seen * z).sum(axis=0), (seen * values).sum(axis=0)
    good = (wanted > 0) & (power > 0)
    return np.divide(wanted, power, out=np.ones_like(power), where=good)


def better_codebook(
    z: Matrix, gram: Matrix, codebook: Matrix, index: Indices, worth: Matrix, *, symmetric: bool
) -> Matrix:
    """Return the centroids of least error; the old ones where the new would not ascend.

    Parameters
    ----------
    z : (K, N) float32
        Weights in scales.
    gram : (K, K) float32
    codebook : (2**n_W,) float32
    index : (K, N) uint8
    worth : (N,) float32
        What an error of one scale costs in each output channel.
    symmetric : bool
    """
    step = max(1, z.shape[1] // COLUMNS)
    z, index, worth = z[:, ::step] * worth[::step], index[:, ::step], worth[::step]
    levels = np.arange(len(codebook))
    half = len(codebook) // 2
    if symmetric:
        members = [
            ((index == half + j) * worth - (index == half - 1 - j) * worth) for j in range(half)
        ]
        old = codebook[half:]
    else:
        members = [(index == j) * worth for j in levels]
        old = codebook
    members = [m.astype(np.float32) for m in members]
    seen = [gram @ m for m in members]
    power = np.array([[np.vdot(a, b) for b in members] for a in seen], np.float64)
    wanted = np.array([np.vdot(a, z) for a in seen], np.float64)
    steady = STEADY * max(float(np.trace(power)) / len(power), 1e-30)
    new = np.linalg.solve(power + steady * np.eye(len(power)), wanted + steady * old)
    new = np.concatenate([-new[::-1], new]) if symmetric else new
    return new.astype(np.float32) if (np.diff(new) > 0).all() else codebook
