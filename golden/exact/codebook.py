"""Codebooks: the centroids that stand for a crowd of values with the least squared error.

In one dimension K-Means need not be a matter of luck: dynamic programming finds the best clusters
in linear time. ``ckwrap`` (Ckmeans.1d.dp) does it, with weights, and always the same way; Lloyd's
iteration would depend on its start.
"""

from collections.abc import Sequence

import ckwrap
import numpy as np
import numpy.typing as npt

from golden.base.errors import InputError
from golden.exact.fp16 import to_bits
from golden.exact.spec import CENTROID_BITS, IntArray

FloatArray = npt.NDArray[np.float64]

W_INDEX_BITS, A_INDEX_BITS = (2, 3, 4), (2, 3, 4, 5, 8)
# A crowd of more values is gathered first: 600 000 values cost ckwrap 0.7 s and 230 MB.
CROWD = 1 << 14


def require_index_bits(name: str, bits: object, allowed: Sequence[int] = W_INDEX_BITS) -> None:
    """Raise InputError unless ``bits`` is one of those allowed; those of a weight by default."""
    if type(bits) is not int or bits not in allowed:
        listed = ", ".join(map(str, allowed[:-1]))
        raise InputError(f"{name} must be {listed} or {allowed[-1]}, got {bits}")


def fit_codebook(
    values: npt.NDArray[np.floating],
    bits: int,
    *,
    symmetric: bool,
    weights: npt.NDArray[np.floating] | None = None,
) -> FloatArray:
    """Return the ``2**bits`` centroids of least squared error, ascending.

    Parameters
    ----------
    values : (n,) float
        Finite, at least one.
    bits : int
        2 to 5.
    symmetric : bool
        Whether the codebook is ``±c``. The magnitudes are then clustered.
    weights : (n,) float, optional
        How much each value counts, positive; equal by default.

    Returns
    -------
    (2**bits,) float64
        Where there are fewer different values than centroids, each value is a centroid and the
        largest (symmetric: of the magnitudes) is repeated.
    """
    require_index_bits("bits", bits, (2, 3, 4, 5))
    values = np.abs(values.astype(np.float64)) if symmetric else values.astype(np.float64)
    counts = np.ones(len(values)) if weights is None else weights.astype(np.float64)
    values, counts = gather(np.asarray(values, np.float64), counts)
    wanted = 1 << (bits - symmetric)
    clusters = min(wanted, len(values))
    labels = ckwrap.ckmeans(values, clusters, counts).labels
    # Means taken here: the library's are running sums, worse by a few digits.
    sums = np.bincount(labels, values * counts) / np.bincount(labels, counts)
    centroids = np.pad(np.sort(sums), (0, wanted - clusters), mode="edge")
    return np.concatenate([-centroids[::-1], centroids]) if symmetric else centroids


def check_codebook(
    name: str, centroids: IntArray, index_bits: int, centroid_bits: int, symmetric: bool
) -> None:
    """Raise ValueError if integer centroids are too many, too large, or not in order."""
    allowed = [1 << bits for bits in range(2, index_bits + 1)]
    if centroids.ndim != 1 or len(centroids) not in allowed:
        listed = ", ".join(map(str, allowed[:-1])) + f" or {allowed[-1]}"
        raise ValueError(f"{name} must have {listed} entries, got shape {centroids.shape}")
    if (np.diff(centroids) < 0).any():
        raise ValueError(f"{name} must ascend")
    if np.abs(centroids).max() >= 1 << centroid_bits:
        raise ValueError(f"{name} must fit {centroid_bits + 1} bits, signed")
    if symmetric and not np.array_equal(centroids, -centroids[::-1]):
        raise ValueError(f"{name} must be symmetric about zero")


def to_grid(centroids: FloatArray, fraction_bits: int) -> IntArray:
    """Round centroids to multiples of ``2**-fraction_bits``; what needs more bits is cut off."""
    limit = (1 << (CENTROID_BITS - 1)) - 1
    return np.clip(np.rint(np.ldexp(centroids, fraction_bits)), -limit, limit).astype(np.int64)


def from_grid(centroids: IntArray, fraction_bits: int) -> FloatArray:
    """Return the real values of centroids in multiples of ``2**-fraction_bits``."""
    return np.ldexp(centroids.astype(np.float64), -fraction_bits)


def nearest(values: npt.NDArray[np.floating], centroids: FloatArray) -> IntArray:
    """Return the index of each value's nearest centroid; the upper one of two equally near."""
    return np.searchsorted((centroids[:-1] + centroids[1:]) / 2, values, side="right")


def gather(values: FloatArray, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return different values, ascending, and their weights: 64 k of them at most.

    All values take part. In a crowd, those that round to the same FP16 number (the largest scaled
    to 2**15) stand together at their mean, so the grid is fine near zero and in a long tail alike.
    """
    if len(values) <= CROWD:
        distinct, place = np.unique(values, return_inverse=True)
        return distinct, np.asarray(np.bincount(place, counts), np.float64)
    largest = np.abs(values).max() or 1.0
    place = to_bits(values / largest * 2**15 + 0.0)  # -0 + 0 is 0: zeros of both signs are one
    total = np.bincount(place, counts, 1 << 16)
    used = total > 0
    mean = np.bincount(place, values * counts, 1 << 16)[used] / total[used]
    order = np.argsort(mean)
    return mean[order], np.asarray(total[used][order], np.float64)
