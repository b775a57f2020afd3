"""Orizuru, the paper's outlier engine, step by step: two tournament trees over the same leaves.

Selection by definition is :func:`golden.exact.outliers.select_outliers`. This module does what the
paper's trees do (arXiv 2507.23035, section on Orizuru) and counts the comparisons: those of one
large tree on each side, and those of the same trees made of units that look ahead.
"""

from dataclasses import dataclass

import numpy as np

from golden.exact.spec import IntArray

UNIT_INPUTS = 16
NOBODY = np.iinfo(np.int64).min  # loses to every key


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

    Raises
    ------
    ValueError
        If there are not ``k`` keys.
    """
    return _select(keys, k, [(1, _leaves(len(keys)))])


def hierarchy(inputs: int) -> list[tuple[int, int]]:
    """Return how many units each level has, the lowest first, and how many inputs each of these.

    Units have ``UNIT_INPUTS`` inputs; the root has as many as it needs, a power of two. For 4096
    inputs that is 256 + 16 + 1 units.
    """
    levels = []
    while inputs > UNIT_INPUTS:
        levels.append((-(-inputs // UNIT_INPUTS), UNIT_INPUTS))
        inputs = levels[-1][0]
    return [*levels, (1, _leaves(inputs))]


def hierarchy_comparisons(inputs: int, k: int) -> int:
    """Return how many comparisons the trees make when they consist of units that look ahead.

    Each unit below the root takes its best key out of its tree and shows it to the unit above,
    so it looks once more for a next key than it is asked for one. With u units below the root on
    the way from a leaf (u = 256 + 16 on the lowest of three levels, 16 on the one above) a level
    makes u + k - 1 pops on each side, and the root k - 1 that matter. Each pop compares on all
    levels of its unit, but for the leaves' own. For N = 4096 and k of at least 1:

        256 (8 + 2 * 7) + 2 * 17 * 15  +  2 (3 (272 + k - 1) + 4 (16 + k - 1) + 4 (k - 1))

    where one large tree would make as many to build it, and 2 * 11 (k - 1). What looking ahead
    costs is the difference, 2 (3 * 272 + 4 * 16) = 1760, whatever k. Units that are not full
    count as if they were.

    Parameters
    ----------
    inputs : int
        N, at least 1.
    k : int
        Pops on each side, 0 to N.
    """
    total, pops = 0, k - 1
    for level, (units, unit_inputs) in reversed([*enumerate(hierarchy(inputs))]):
        own = unit_inputs // 2 if level == 0 else 0  # neighbouring leaves: once for both trees
        total += units * (own + 2 * (unit_inputs - 1 - own))
        if k:
            pops += 0 if units == 1 else units
            total += 2 * pops * ((unit_inputs - 1).bit_length() - (level == 0))
    return total


def hierarchy_select(keys: IntArray, k: int, inputs: int | None = None) -> TreeResult:
    """Do what :func:`tree_select` does with units of few inputs that look ahead.

    Parameters
    ----------
    keys : (n,) int64
        FP16 keys of one token.
    k : int
        0 to n.
    inputs : int, optional
        Keys that the units have room for, N; by default n.

    Raises
    ------
    ValueError
        If there are not ``k`` keys.
    """
    return _select(keys, k, hierarchy(len(keys) if inputs is None else inputs))


def _select(keys: IntArray, k: int, levels: list[tuple[int, int]]) -> TreeResult:
    """Pop with units as :func:`hierarchy` has them; one tree is a hierarchy of one level."""
    if not 0 <= k <= len(keys):
        raise ValueError(f"k must be from 0 to n = {len(keys)}, got {k}")
    room = levels[0][0] * levels[0][1]
    # One comparison of two leaves serves both trees. It says which is less, and for equal leaves
    # that they are: the lower position then wins in both trees, not in the one alone.
    found, comparisons = [], room // 2
    for side in (keys, -keys):
        units = [
            _Unit(part, None, number * len(part))
            for number, part in enumerate(np.split(_filled(side, room), levels[0][0]))
        ]
        everyone = [*units]
        for count, unit_inputs in levels[1:]:
            for unit in units if k else []:
                unit.take()
            groups = [units[n * unit_inputs :][:unit_inputs] for n in range(count)]
            units = [
                _Unit(_filled(np.array([u.key for u in group]), unit_inputs), group, 0)
                for group in groups
            ]
            everyone += units
        for n in range(k):
            units[0].take(last=n == k - 1)
            found.append(units[0].position)
        comparisons += sum(unit.tree.comparisons for unit in everyone)
    positions = np.array(found, np.int64)
    return TreeResult(largest=positions[:k], smallest=positions[k:], comparisons=comparisons)


class _Unit:
    """A tree of few inputs on one side, and beside it the key that it took out last.

    Its inputs are keys, the first one in position ``start``, or what the units below show.
    """

    def __init__(self, keys: IntArray, below: list["_Unit"] | None, start: int) -> None:
        self.tree = _Tree(keys, shared=below is None)
        self._below, self._start = below, start
        self.key, self.position = NOBODY, 0

    def take(self, *, last: bool = False) -> None:
        """Show the best key, and look for the one after it unless it is the last."""
        leaf = self.tree.winner()
        self.key = int(self.tree.keys[leaf])
        if self._below is None:
            self.position, following = self._start + leaf, NOBODY
        else:
            unit = self._below[leaf]
            self.position = unit.position
            if not last:
                unit.take()
            following = unit.key
        if not last:
            self.tree.replace(leaf, following)


class _Tree:
    """A complete binary tournament tree in which every node keeps one bit: which child won.

    Nodes are numbered from 1, the root; the children of node n are 2 n and 2 n + 1, and the leaf
    of position p is number N + p. ``comparisons`` leaves out the leaves' own level if that is
    ``shared`` with another tree. There, a leaf that gives its place to nobody loses without a
    comparison.
    """

    def __init__(self, keys: IntArray, *, shared: bool) -> None:
        self.keys = keys.copy()
        self._own = len(keys) // 2 if shared else len(keys)  # first node that does not count
        self._right_won = np.zeros(len(keys), np.bool_)
        self.comparisons = 0
        for node in range(len(keys) - 1, 0, -1):
            self._compare(node)

    def replace(self, position: int, key: int) -> None:
        """Put a key in the place of another and play that leaf's matches again.

        The order on the way up matters: a match needs the winners below it.
        """
        self.keys[position] = key
        node = (len(self.keys) + position) // 2
        while node:
            self._compare(node)
            node //= 2

    def winner(self, node: int = 1) -> int:
        """Return the position that the bits below a node lead to."""
        while node < len(self.keys):
            node = 2 * node + int(self._right_won[node])
        return node - len(self.keys)

    def _compare(self, node: int) -> None:
        """Play a node's match; of equals the left child wins, which has the lower positions."""
        left, right = self.winner(2 * node), self.winner(2 * node + 1)
        self.comparisons += node < self._own
        self._right_won[node] = self.keys[right] > self.keys[left]


def _leaves(inputs: int) -> int:
    """Return the next power of two, at least 2."""
    return max(2, 1 << (inputs - 1).bit_length())


def _filled(keys: IntArray, leaves: int) -> IntArray:
    """Return keys with as many that lose to all behind them as make up ``leaves``."""
    return np.append(keys, np.full(leaves - len(keys), NOBODY))
