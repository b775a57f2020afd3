"""Orizuru, the paper's outlier engine, step by step: two tournament trees over the same leaves.

Selection by definition is :func:`golden.outliers.select_outliers`. This module does what the
paper's trees do (arXiv 2507.23035, section on Orizuru) and counts the comparisons.
"""

from dataclasses import dataclass

import numpy as np

from golden.spec import IntArray


@dataclass(frozen=True, kw_only=True)
class TreeResult:
    """What the trees found in one token.

    Parameters
    ----------
    largest, smallest : (k,) int64
        Positions, in descending and in ascending order of the keys; of equals the lower first.
    comparisons : int
        Comparisons of two keys that were made.
    """

    largest: IntArray
    smallest: IntArray
    comparisons: int


def tree_comparisons(inputs: int, k: int) -> int:
    """Return how many comparisons the trees make: 1.5 N + 2 k log2 N, but for small terms.

    Building takes N/2 comparisons of neighbouring leaves, which serve both trees, and N/2 - 1
    more in each tree. A pop compares anew on the levels above its leaf, log2 N - 1 of them: next
    to the leaf there is nothing to compare, as a popped leaf loses. After the last pop of a side
    nobody asks who would be next. So, N a power of two of at least 2 and k of at least 1, it is

        N/2 + 2 (N/2 - 1) + 2 (k - 1) (log2 N - 1)  =  1.5 N + 2 k log2 N - 2 k - 2 log2 N

    Other numbers of leaves are filled up to the next power of two with leaves that lose to all;
    their comparisons count, as hardware makes them.

    Parameters
    ----------
    inputs : int
        N, at least 1.
    k : int
        Pops on each side, 0 to N.
    """
    leaves = _leaves(inputs)
    levels = leaves.bit_length() - 1
    build = leaves // 2 + 2 * (leaves // 2 - 1)
    return build + 2 * max(k - 1, 0) * (levels - 1)


def tree_select(keys: IntArray, k: int) -> TreeResult:
    """Pop the ``k`` largest and the ``k`` smallest keys off the two trees.

    Parameters
    ----------
    keys : (N,) int64
        FP16 keys of one token.
    k : int
        0 to N.

    Returns
    -------
    TreeResult

    Raises
    ------
    ValueError
        If there are not ``k`` keys.
    """
    if not 0 <= k <= len(keys):
        raise ValueError(f"k must be from 0 to N = {len(keys)}, got {k}")
    # One comparison of two leaves serves both trees. It says which is less, and for equal leaves
    # that they are: the lower position then wins in both trees, not in the one alone.
    leaves = _leaves(len(keys))
    maximum, minimum = _Tree(keys, leaves), _Tree(-keys, leaves)
    largest = [maximum.pop(last=n == k - 1) for n in range(k)]
    smallest = [minimum.pop(last=n == k - 1) for n in range(k)]
    return TreeResult(
        largest=np.array(largest, np.int64),
        smallest=np.array(smallest, np.int64),
        comparisons=leaves // 2 + maximum.comparisons + minimum.comparisons,
    )


class _Tree:
    """A complete binary tournament tree in which every node keeps one bit: which child won.

    Nodes are numbered from 1, the root; the children of node n are 2 n and 2 n + 1, and the leaf
    of position p is number ``leaves + p``. ``comparisons`` leaves out the leaves' own level.
    """

    def __init__(self, keys: IntArray, leaves: int) -> None:
        self._keys, self._leaves = keys, leaves
        self._masked = np.arange(leaves) >= len(keys)
        self._right_won = np.zeros(leaves, np.bool_)
        self.comparisons = 0
        for node in range(leaves - 1, 0, -1):
            self._compare(node)

    def pop(self, *, last: bool) -> int:
        """Return the winner's position; mask it, and play its matches again unless it is the last.

        The order on the way up matters: a match needs the winners below it.
        """
        position = self._winner(1)
        self._masked[position] = True
        node = (self._leaves + position) // 2
        while node and not last:
            self._compare(node)
            node //= 2
        return position

    def _winner(self, node: int) -> int:
        """Return the position that the bits below a node lead to."""
        while node < self._leaves:
            node = 2 * node + int(self._right_won[node])
        return node - self._leaves

    def _compare(self, node: int) -> None:
        """Play a node's match; of equals the left child wins, which has the lower positions."""
        left, right = self._winner(2 * node), self._winner(2 * node + 1)
        if node < self._leaves // 2:
            self.comparisons += 1
        if self._masked[right]:
            self._right_won[node] = False
        else:
            self._right_won[node] = self._masked[left] or self._keys[right] > self._keys[left]


def _leaves(inputs: int) -> int:
    """Return the next power of two, at least 2."""
    return max(2, 1 << (inputs - 1).bit_length())
