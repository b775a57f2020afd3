"""The product table: integers that stand for ``C_A[i] * C_W[j]``, and the unit they count in.

Rounding each product to the nearest integer leaves errors that add up, see
:mod:`golden.quantise.pair_moments`. The table is rounded so that the *sum's* error is least
instead, in the unit that suits it best, and the codebooks give way a little, so that their products
lie nearer to integers. All of this happens offline; the hardware pays nothing for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from golden.exact.codebook import FloatArray, from_grid, to_grid
from golden.exact.grid import GRID, made_rows
from golden.exact.spec import A_FRACTION_BITS, CENTROID_BITS, IntArray, NumberSpec
from golden.quantise.pair_moments import PairMoments

# Units tried, relative to the one that makes the largest product fit exactly. Beyond 1 the largest
# products are clipped, which pays where they are rare.
UNITS = np.exp2(np.arange(-12, 16) / 16)
# What moving the codebooks costs against the same error in the table, refit after refit: they give
# way a little, then more.
YIELDING = (
    *(1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.01, 0.005, 0.005),
    *(0.002, 0.002, 0.001, 0.001, 0.0005, 0.0005, 0.0002, 0.0002),
)
# They move no further than the arithmetic error needs to come below this part of the quantisation
# error (on calibration tokens; others give a little more), and never by more than FURTHEST of it,
# again on calibration tokens. That is a price: the sum of both errors would be a little smaller
# with codebooks that stay where they are, but then more of it would be arithmetic. Squares add, so
# the price is a twentieth at most.
ENOUGH = 0.08
FURTHEST = 0.35
# A step must take this part off the error; few outputs leave moments in which it could shrink for
# ever. So many steps for each entry are more than tables of real layers take.
WORTHWHILE = 1e-6
STEPS = 2
# Keeps codebooks where they are as far as the moments say nothing, as those of a single token do;
# in parts of the moments' mean.
STEADY = 1e-12
# The codebook moves after the unit is chosen.
MARGIN = 1.1


@dataclass(frozen=True)
class Table:
    """A product table and the codebooks that go with it.

    Parameters
    ----------
    unit : float
        Table units per unit of the product of the real codebooks.
    a_centroids : (2**n_A,) int64
        In units of 2**-10 token scales.
    w_centroids : (2**n_W,) int64
        In units of ``2**-spec.w_fraction_bits`` table units.
    entries : (2**n_A, 2**n_W) int64
    """

    unit: float
    a_centroids: IntArray
    w_centroids: IntArray
    entries: IntArray


def product_table(
    spec: NumberSpec,
    a_codebook: FloatArray,
    w_codebook: FloatArray,
    moments: PairMoments,
    *,
    quantisation: float,
    inputs: int = 1,
    most_ratio: float = 1.0,
) -> Table:
    """Choose unit, table and codebooks so that the arithmetic error is small enough.

    Parameters
    ----------
    spec : NumberSpec
        Says the largest entry and the grid of the weight codebook.
    a_codebook : (2**n_A,) float64
        In token scales.
    w_codebook : (2**n_W,) float64
        In channel scales.
    moments : PairMoments
        Of calibration tokens.
    quantisation : float
        Mean square of what the codebooks lose in an output, in the unit of the moments.
    inputs : int
        K, which says how large a residual row's entries may be.
    most_ratio : float
        Largest |x| / s_a that there can be. Units in which the residual row of such an outlier
        would be too large are not tried.

    Returns
    -------
    Table
    """
    a_max, w_max = np.abs(a_codebook).max(), np.abs(w_codebook).max()
    if not a_max or not w_max:
        a, w = to_grid(a_codebook, A_FRACTION_BITS), to_grid(w_codebook, spec.w_fraction_bits)
        return Table(1.0, a, w, np.zeros((len(a), len(w)), np.int64))
    widest = ((1 << (CENTROID_BITS - 1)) - 1) / (1 << spec.w_fraction_bits)
    most = min(widest, spec.residual_max(inputs) / (most_ratio + a_max + 1))
    best_fit = (spec.entry_max + 0.49) / (a_max * w_max)
    tried = []
    for unit in np.unique(np.minimum(UNITS * best_fit, most / w_max / MARGIN)):
        for candidate in _refits(spec, a_codebook, w_codebook, unit, moments):
            if candidate.refits and candidate.moved > FURTHEST**2 * quantisation:
                break  # the next have moved further
            if _fits(spec, candidate.table, most):
                tried.append(candidate)
    good = [c for c in tried if c.arithmetic <= ENOUGH**2 * quantisation]
    if good:
        return min(good, key=lambda c: c.arithmetic + c.moved).table
    return min(tried, key=lambda c: c.arithmetic).table


def _fits(spec: NumberSpec, table: Table, most: float) -> bool:
    """Return whether a layer may have a table, however far its codebooks moved.

    The largest product of centroids may be twice as large as an entry, see
    :class:`golden.exact.linear.QuantizedLinear`; no unit is so large that it would exceed that
    before a refit.
    """
    a_max = np.abs(from_grid(table.a_centroids, A_FRACTION_BITS)).max()
    w_max = np.abs(from_grid(table.w_centroids, spec.w_fraction_bits)).max()
    return bool(w_max <= most and a_max * w_max <= 2 * (spec.entry_max + 1))


def made_table(spec: NumberSpec, w_codebook: FloatArray) -> Table:
    """Return made rows, with the weight codebook in the unit in which its rounding costs least.

    Parameters
    ----------
    spec : NumberSpec
    w_codebook : (2**n_W,) float64
        In channel scales.
    """
    limit = (1 << spec.w_centroid_bits) - 1
    w_max = np.abs(w_codebook).max() or 1.0
    units = np.arange(limit * 7 // 8, limit + 1) / w_max

    def error(unit: float) -> float:
        return float(((np.rint(w_codebook * unit) / unit - w_codebook) ** 2).sum())

    unit = min(units, key=error)
    centroids = np.rint(w_codebook * unit).astype(np.int64)
    table_unit = float(unit) * 2.0**-spec.w_fraction_bits
    return Table(table_unit, GRID, centroids, made_rows(centroids))


@dataclass(frozen=True)
class _Candidate:
    """A table and its two errors, mean squares: of the integers, and of the moved codebooks."""

    table: Table
    refits: int
    arithmetic: float
    moved: float


def round_together(exact: FloatArray, moments: FloatArray, limit: int) -> tuple[FloatArray, float]:
    """Return integers within ``±limit`` near ``exact``, and ``e @ moments @ e`` of their error e.

    Starts from the nearest integers and takes the single step by 1 that helps most until none
    helps. That is a local minimum; searches with pairs of steps or with error feedback end within
    a few per cent of it.

    Parameters
    ----------
    exact : (p,) float64
    moments : (p, p) float64
        Positive definite.
    limit : int
    """
    rounded = np.clip(np.rint(exact), -limit, limit)
    error = rounded - exact
    slope, curve = moments @ error, np.diag(moments)
    for _ in range(STEPS * len(exact)):
        up = np.where(rounded < limit, curve + 2 * slope, np.inf)
        down = np.where(rounded > -limit, curve - 2 * slope, np.inf)
        place, step = (up.argmin(), 1) if up.min() <= down.min() else (down.argmin(), -1)
        if min(up.min(), down.min()) >= -WORTHWHILE * (error @ slope):
            break
        rounded[place] += step
        error[place] += step
        slope += step * moments[:, place]
    return rounded, float(error @ slope)


def _refits(
    spec: NumberSpec, a: FloatArray, w: FloatArray, unit: float, moments: PairMoments
) -> Iterator[_Candidate]:
    """Yield tables for one unit: with the codebooks as they are, then refitted more and more.

    What the engine computes depends on the integers alone. The codebooks say which real numbers
    they stand for: moving them towards the table makes the arithmetic error smaller.
    """
    a, w = _upper(spec, a), _upper(spec, w) * unit
    ideal = np.outer(np.append(a, 1), w)  # the last row: outliers have their own values
    for refits, cost in enumerate((*YIELDING, 0.0)):
        a_grid, w_grid = to_grid(a, A_FRACTION_BITS), to_grid(w, spec.w_fraction_bits)
        a, w = from_grid(a_grid, A_FRACTION_BITS), from_grid(w_grid, spec.w_fraction_bits)
        if not (_ascends(spec, a) and _ascends(spec, w)):
            return
        exact = np.outer(a, w)
        flat, error = round_together(exact.ravel(), moments.table, spec.entry_max)
        shift = (np.outer(np.append(a, 1), w) - ideal).ravel()
        entries = flat.reshape(exact.shape)
        table = _unfold(spec, unit, a_grid, w_grid, entries.astype(np.int64))
        yield _Candidate(
            table, refits, error / unit**2, float(shift @ moments.codebook @ shift) / unit**2
        )
        if cost:
            a, w = _refit(entries, ideal, moments, (a, w), cost)


def _refit(
    entries: FloatArray,
    ideal: FloatArray,
    moments: PairMoments,
    now: tuple[FloatArray, FloatArray],
    cost: float,
) -> tuple[FloatArray, FloatArray]:
    """Return a, then w, that bring the products nearer to the entries without leaving ``ideal``.

    Least squares in one while the other stands, with the table's and the codebook's moments.
    """
    a, w = now
    to_table = moments.table.reshape(*entries.shape, *entries.shape)
    to_ideal = cost * moments.codebook.reshape(*ideal.shape, *ideal.shape)
    pull_table = np.tensordot(to_table, entries)
    pull_ideal = np.tensordot(to_ideal, ideal)
    near, far = _over_weights(to_table, w), _over_weights(to_ideal, w)
    right = pull_table @ w + (pull_ideal @ w - far[:, -1])[:-1]
    a = _solve(near + far[:-1, :-1], right, a)
    b = np.append(a, 1)
    near, far = _over_activations(to_table, a), _over_activations(to_ideal, b)
    return a, _solve(near + far, a @ pull_table + b @ pull_ideal, w)


def _solve(moments: FloatArray, pull: FloatArray, now: FloatArray) -> FloatArray:
    """Return what solves ``moments @ x = pull``, and is ``now`` where the moments leave it open."""
    steady = STEADY * float(np.trace(moments)) / len(moments) or 1.0
    found = np.linalg.solve(moments + steady * np.eye(len(moments)), pull + steady * now)
    return found.astype(np.float64)


def _over_weights(moments: FloatArray, w: FloatArray) -> FloatArray:
    """Return sum over j, l of moments[i, j, k, l] * w[j] * w[l]: (i, k)."""
    return np.tensordot(moments @ w, w, (1, 0))


def _over_activations(moments: FloatArray, a: FloatArray) -> FloatArray:
    """Return sum over i, k of moments[i, j, k, l] * a[i] * a[k]: (j, l)."""
    return np.tensordot(np.tensordot(a, moments, 1), a, (1, 0))


def _upper(spec: NumberSpec, codebook: FloatArray) -> FloatArray:
    """Return the half of a codebook that says it all where it is symmetric."""
    return codebook[len(codebook) // 2 :] if spec.symmetric else codebook


def _ascends(spec: NumberSpec, codebook: FloatArray) -> bool:
    """Return whether a codebook, or the upper half that says it all, is still in order."""
    lowest = 0 if spec.symmetric else -np.inf
    return bool(codebook[0] >= lowest and (np.diff(codebook) >= 0).all())


def _unfold(spec: NumberSpec, unit: float, a: IntArray, w: IntArray, entries: IntArray) -> Table:
    """Return the whole table of the quarter where both are positive, if it is symmetric."""
    if spec.symmetric:
        a, w = np.concatenate([-a[::-1], a]), np.concatenate([-w[::-1], w])
        entries = np.concatenate([-entries[:, ::-1], entries], axis=1)
        entries = np.concatenate([-entries[::-1], entries])
    return Table(unit, a, w, entries)
