"""Lowest unit of the paper's Orizuru: two tournament trees over the same keys."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.formats import KEY, require_power_of_two
from hw.stream.component import Component, In, Out
from hw.topk.orizuru.tournament import Player, candidate, decide, winner


def leaf_beat(lanes: int) -> data.StructLayout:
    """Return the layout of keys that come in side by side, their neighbours compared.

    ``mask`` says which are there; ``greater`` and ``less`` of each pair, whether the right key
    is greater, and less, than the left one.
    """
    return data.StructLayout(
        {
            "keys": data.ArrayLayout(KEY, lanes),
            "mask": lanes,
            "greater": lanes // 2,
            "less": lanes // 2,
        }
    )


def compare_pairs(m: Module, keys: data.View, mask: Value) -> data.View:
    """Return keys as :func:`leaf_beat` has them: the comparisons that both trees share."""
    beat = Signal(leaf_beat(len(mask)))
    m.d.comb += [beat.keys.eq(keys), beat.mask.eq(mask)]
    for n in range(len(mask) // 2):
        left, right = keys[2 * n], keys[2 * n + 1]
        m.d.comb += [beat.greater[n].eq(right > left), beat.less[n].eq(left > right)]
    return beat


def leaf_period(inputs: int) -> int:
    """Return the cycles that a unit needs to find its next key.

    The lowest level and the root are settled at once, each other one takes a cycle.
    """
    return max(exact_log2(inputs) - 1, 1)


class OrizuruLeaf(Component):
    """Offer the largest and the smallest of some keys, and then the next ones.

    Of equal keys the lower position comes first, on both sides. The trees have a bit for each
    node that says which child won; a key that was taken loses from then on to all, in the tree
    that it was taken from. Neighbours are compared where the keys come from, for many units at
    once, and the result is kept here for both trees.

    Parameters
    ----------
    inputs : int
        Keys, a power of two of at least 2.
    lanes : int
        Keys that come in side by side, a power of two from 2 to ``inputs``.

    Timing
    ------
    Latency : one cycle from ``take`` to the output.
    Rate : ``take`` may come ``period`` cycles after the last keys or the last ``take`` of its
        side, or later.
    Through paths : none.
    Reset : nothing: keys, ``clear`` and ``take`` set what counts.
    """

    clear = In(1)
    """Another token begins: there are no keys, but for those of this cycle."""
    load = In(lambda c: c.inputs // c.lanes)
    """Which part of the keys comes in, the first one first."""
    beat = In(lambda c: leaf_beat(c.lanes))
    """The keys."""
    take = In(2)
    """For the largest and for the smallest: the next one moves into the output, and the unit looks
    for the one after it.
    """
    last = In(2)
    """With ``take``: it does not look."""
    largest = Out(lambda c: c.candidate)
    """The largest key that was not there before; ``valid`` is low when there is none."""
    smallest = Out(lambda c: c.candidate)
    """The smallest one, its key complemented: complements come in descending order, too."""

    def __init__(self, inputs: int, lanes: int) -> None:
        require_power_of_two("inputs", inputs, low=2, high=1 << 16)
        require_power_of_two("lanes", lanes, low=2, high=inputs)
        self.inputs, self.lanes = inputs, lanes
        self.position_bits = exact_log2(inputs)
        self.period = leaf_period(inputs)
        self.candidate = candidate(self.position_bits)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        # Neither keys nor the order of neighbours need a reset: who is there says what counts.
        keys = [Signal(KEY, name=f"key{n}", reset_less=True) for n in range(self.inputs)]
        pairs = self.inputs // 2
        greater, less = (
            Signal(pairs, name=name, reset_less=True) for name in ("right_greater", "right_less")
        )
        loaded = Signal(reset_less=True)
        with m.If(self.load.any()):
            m.d.sync += loaded.eq(1)
        with m.Elif(self.clear):
            m.d.sync += loaded.eq(0)
        for part, load in enumerate(self.load):
            low = part * self.lanes
            with m.If(load):
                m.d.sync += [
                    *(keys[low + n].eq(self.beat.keys[n]) for n in range(self.lanes)),
                    greater[low // 2 :][: self.lanes // 2].eq(self.beat.greater),
                    less[low // 2 :][: self.lanes // 2].eq(self.beat.less),
                ]
        for side, (name, right_first) in enumerate((("largest", greater), ("smallest", less))):
            self._side(m, name, side, keys, right_first, loaded)

    def _side(
        self,
        m: Module,
        name: str,
        side: int,
        keys: list[Signal],
        right_first: Signal,
        loaded: Signal,
    ) -> None:
        """Build one tree, and the output with what it found last."""
        there = Signal(self.inputs, name=f"{name}_there", reset_less=True)
        top = self._tree(m, name, side, keys, there, right_first)
        o = Signal(self.candidate, name=f"{name}_o", reset_less=True)
        take, last = self.take[side], self.last[side]
        with m.If(take):
            m.d.sync += [
                o.key.eq(~top.key if side else top.key),
                o.position.eq(top.position),
                o.valid.eq(top.there & loaded),
            ]
        m.d.comb += getattr(self, name).eq(o)

        popped = top.leaf & (take & ~last).replicate(self.inputs)
        for part, load in enumerate(self.load):
            own = slice(part * self.lanes, (part + 1) * self.lanes)
            first = self.load[0] if part else Const(0, 1)  # whoever comes later is not there yet
            stay = there[own] & ~popped[own] & ~first.replicate(self.lanes)
            m.d.sync += there[own].eq(Mux(load, self.beat.mask, stay))

    def _tree(
        self,
        m: Module,
        name: str,
        side: int,
        keys: list[Signal],
        there: Signal,
        right_first: Signal,
    ) -> Player:
        """Return the winner of all; the bits of the levels between lowest and root are kept."""
        players = [Player(key, there[n], Const(0, 0), Const(1, 1)) for n, key in enumerate(keys)]
        level = 0
        while len(players) > 1:
            winners = []
            for n, (left, right) in enumerate(zip(players[::2], players[1::2], strict=True)):
                node = f"{name}{level}_{n}"
                greater, less = (left, right) if side else (right, left)
                wins = greater.key > less.key if level else right_first[n]
                right_won = Signal(name=f"{node}_right_won", reset_less=True)
                kept = level > 0 and len(players) > 2
                m.d["sync" if kept else "comb"] += right_won.eq(decide(left, right, wins))
                winners.append(winner(m, left, right, right_won, node))
            players, level = winners, level + 1
        return players[0]
