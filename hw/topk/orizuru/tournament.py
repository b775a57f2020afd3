"""Matches of a tournament tree: the larger key wins, of equals the one on the left."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data

from hw.arith import bits
from hw.formats import KEY


def exceeds(a: Value, b: Value) -> Value:
    """Return whether ``a`` exceeds ``b``, two signed keys; logarithmic depth."""
    return bits.exceeds(Cat(a[:-1], b[-1]), Cat(b[:-1], a[-1]))  # a sign counts the other way


def candidate(position_bits: int) -> data.StructLayout:
    """Return the layout of what a unit offers: a key, where it stands, and whether there is one."""
    return data.StructLayout({"key": KEY, "position": position_bits, "valid": 1})


@dataclass(frozen=True)
class Player:
    """A leaf, or the winner of a match.

    Parameters
    ----------
    key : Value
        Its key.
    there : Value
        Whether it takes part: who does not loses to all, or wins against its like.
    position : Value
        Where it stands below this node; no bits for a leaf.
    leaf : Value
        The same with one bit for each leaf.
    """

    key: Value
    there: Value
    position: Value
    leaf: Value


def decide(left: Player, right: Player, right_wins: Value) -> Value:
    """Return who wins a match, 1 for the right, given the comparison of the keys."""
    return right.there & (~left.there | right_wins)


def winner(m: Module, left: Player, right: Player, right_won: Value, name: str) -> Player:
    """Return who goes on from a match."""
    both = len(left.leaf) + len(right.leaf)
    player = Player(
        key=Signal(KEY, name=f"{name}_key"),
        there=Signal(name=f"{name}_there"),
        position=Signal(len(left.position) + 1, name=f"{name}_position"),
        leaf=Signal(both, name=f"{name}_leaf"),
    )
    m.d.comb += [
        player.key.eq(Mux(right_won, right.key, left.key)),
        player.there.eq(left.there | right.there),
        player.position.eq(Cat(Mux(right_won, right.position, left.position), right_won)),
        player.leaf.eq(
            Cat(
                left.leaf & ~right_won.replicate(len(left.leaf)),
                right.leaf & right_won.replicate(len(right.leaf)),
            )
        ),
    ]
    return player
