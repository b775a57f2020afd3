"""The paper's trees, played match by match: what comes out of them, and how many comparisons."""

from dataclasses import dataclass

import numpy as np

from golden.exact.spec import IntArray

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


def select(keys: IntArray, k: int, levels: list[tuple[int, int]]) -> TreeResult:
    """Pop the k largest and the k smallest keys off trees of units, levels as of ``hierarchy``."""
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


def _filled(keys: IntArray, leaves: int) -> IntArray:
    """Return keys with as many that lose to all behind them as make up ``leaves``."""
    return np.append(keys, np.full(leaves - len(keys), NOBODY))
