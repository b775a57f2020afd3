"""Upper unit of the paper's Orizuru: a tournament tree over what other units offer."""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.formats import require_power_of_two
from hw.stream.component import Component, In, Out
from hw.topk.orizuru.tournament import Player, candidate, decide, exceeds, winner


def upper_period(units: int) -> int:
    """Return the cycles that a unit needs to find its next key.

    The two lowest levels share a cycle. A root above them is settled at once.
    """
    levels = exact_log2(units)
    return levels - 1 if levels > 2 else levels


class OrizuruUpper(Component):
    """Offer the largest key that some units offer, and then the next ones.

    Of equal keys the one of the lower unit comes first. When a key moves into the output, the
    unit that it is from replaces it in the same cycle by its next one.

    Parameters
    ----------
    units : int
        Units below, a power of two from 2 to 16.
    position_bits : int
        Bits of their positions.

    Timing
    ------
    Latency : one cycle from ``take`` to the output.
    Rate : ``take`` may come ``period`` cycles after the last change of ``offers``, or later.
    Through paths : ``take`` and ``last`` to ``takes``; combinational.
    Reset : nothing: ``offers`` and ``take`` set what counts.
    """

    offers = In(lambda c: data.ArrayLayout(candidate(c.position_bits), c.units))
    """What the units offer."""
    take = In(1)
    """The next key moves into the output."""
    last = In(1)
    """With ``take``: nobody asks for the one after it."""
    takes = Out(lambda c: c.units)
    """With ``take``, unless ``last``: whose key it is."""
    largest = Out(lambda c: candidate(c.position_bits + exact_log2(c.units)))
    """The largest key that was not there before; in its position, the unit's number is above the
    unit's own position. ``valid`` is low when there is none.
    """

    def __init__(self, units: int, position_bits: int) -> None:
        require_power_of_two("units", units, low=2, high=16)
        self.units, self.position_bits = units, position_bits
        self.period = upper_period(units)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        players = [
            Player(offer.key, offer.valid, offer.position, Const(1, 1))
            for offer in (self.offers[n] for n in range(self.units))
        ]
        level = 0
        while len(players) > 1:
            winners = []
            for n, (left, right) in enumerate(zip(players[::2], players[1::2], strict=True)):
                right_won = Signal(name=f"level{level}_{n}_right_won", reset_less=True)
                kept = level > 1 and len(players) > 2
                wins = exceeds(right.key, left.key)
                m.d["sync" if kept else "comb"] += right_won.eq(decide(left, right, wins))
                winners.append(winner(m, left, right, right_won, f"level{level}_{n}"))
            players, level = winners, level + 1
            if level == 2:
                players = [self._kept(m, player, n) for n, player in enumerate(players)]
        top = players[0]
        o = Signal.like(self.largest, name="o", reset_less=True)
        with m.If(self.take):
            m.d.sync += [o.key.eq(top.key), o.position.eq(top.position), o.valid.eq(top.there)]
        m.d.comb += self.largest.eq(o)
        m.d.comb += self.takes.eq(top.leaf & (self.take & ~self.last).replicate(self.units))

    def _kept(self, m: Module, player: Player, n: int) -> Player:
        """Return registers that follow a winner."""
        kept = Player(
            key=Signal.like(player.key, name=f"kept{n}_key", reset_less=True),
            there=Signal(name=f"kept{n}_there", reset_less=True),
            position=Signal.like(player.position, name=f"kept{n}_position", reset_less=True),
            leaf=Signal.like(player.leaf, name=f"kept{n}_leaf", reset_less=True),
        )
        m.d.sync += [
            kept.key.eq(player.key),
            kept.there.eq(player.there),
            kept.position.eq(player.position),
            kept.leaf.eq(player.leaf),
        ]
        return kept
