"""Indices that minimise the error of the outputs, not that of the weights.

An output channel's error is ``(z - c)^T G (z - c)``: z its weights in scales, c their centroids, G
the moments of the inputs. Rounding each weight to its nearest centroid is best only where G is
diagonal; in truth a weight can make good what others have lost. Error feedback (GPTQ, arXiv
2210.17323) rounds one input channel after the other and shifts those to come. It is greedy, and
where a few weights read massive activations it is luck how it ends. So it only gives the start: in
coordinate descent each index is then chosen anew, given all others, until hardly any changes. That
never makes the error larger.
"""

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Indices = npt.NDArray[np.uint8]

BLOCK = 64  # input channels whose updates of the others are put off and done together


def error_feedback(z: Matrix, gram: Matrix, codebook: Matrix) -> Indices:
    """Return indices (K, N): input channels in turn, the ones that matter most first.

    Parameters
    ----------
    z : (K, N) float32
        Weights in scales.
    gram : (K, K) float32
        Positive definite.
    codebook : (2**n_W,) float32
        Ascending.
    """
    order = np.argsort(-np.diag(gram), kind="stable")
    inverse = np.linalg.inv(gram[np.ix_(order, order)].astype(np.float64))
    spread = np.linalg.cholesky(inverse).T.astype(np.float32)
    middle = (codebook[1:] + codebook[:-1]) / 2
    wanted = z[order]
    chosen = np.empty(z.shape, np.uint8)
    for start in range(0, len(z), BLOCK):
        stop = min(start + BLOCK, len(z))
        errors = np.empty((stop - start, z.shape[1]), np.float32)
        for k in range(start, stop):
            index = np.searchsorted(middle, wanted[k], side="right")
            chosen[order[k]] = index
            error = (wanted[k] - codebook[index]) / spread[k, k]
            errors[k - start] = error
            wanted[k + 1 : stop] -= spread[k, k + 1 : stop, None] * error
        wanted[stop:] -= spread[start:stop, stop:].T @ errors
    return chosen


def descend(z: Matrix, gram: Matrix, codebook: Matrix, index: Indices) -> int:
    """Choose each index anew, given all others, once; return how many changed.

    Parameters
    ----------
    z, gram, codebook
        As for :func:`error_feedback`.
    index : (K, N) uint8
        Changed in place.
    """
    middle = (codebook[1:] + codebook[:-1]) / 2
    slope = gram @ (z - codebook[index])
    changed = 0
    for start in range(0, len(z), BLOCK):
        stop = min(start + BLOCK, len(z))
        here = slope[start:stop]
        moves = np.empty_like(here)
        for k in range(start, stop):
            now = codebook[index[k]]
            wanted = now + here[k - start] / gram[k, k]
            best = np.searchsorted(middle, wanted, side="right")
            move = codebook[best] - now
            changed += int(np.count_nonzero(best != index[k]))
            index[k] = best
            moves[k - start] = move
            here -= gram[start:stop, k, None] * move
        # The block's own rows are up to date already.
        slope[stop:] -= gram[stop:, start:stop] @ moves
    return changed
