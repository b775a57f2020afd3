"""Schedule: the order of a program's instructions, so that less of the chip waits."""

from collections.abc import Sequence

from golden.chip.instruction import Instruction, Op
from golden.chip.rules import LOADS, SOURCES, pitch
from golden.chip.shape import ChipShape

Named = tuple[str, Instruction]
# Scales of keys are not read before they are written; behind NEXT a token may be chosen, or not.
BARRIERS = (Op.CACHE, Op.NEXT)
HELD = 2  # tiles, which the chip holds at a time


def constants_early(program: Sequence[Named], shape: ChipShape) -> list[Named]:
    """Return the program with constants loaded while the LINEAR before is carried out.

    They come right behind it. Where it has many tiles, what it does not touch goes first: for
    constants come behind tiles that were asked for before them, and these wait for their turn. The
    order of what loads, and that of all others, stays.
    """
    done: list[Named] = []
    linear: Instruction | None = None
    at = 0  # where the next that loads may stand; 0: only where it is
    for name, one in program:
        if one.op in LOADS and at:
            done.insert(at, (name, one))
            at += 1
            continue
        done.append((name, one))
        if one.op == Op.LINEAR:
            linear, at = one, len(done)
        elif one.op in BARRIERS:
            at = 0
        elif linear and at == len(done) - 1 and _first(linear, one, shape):
            at = len(done)
    return done


def _first(linear: Instruction, one: Instruction, shape: ChipShape) -> bool:
    """Return whether an instruction behind LINEAR goes before what loads."""
    if linear.outputs_grow or linear.outputs <= HELD * shape.output_lanes or one.grows:
        return False
    words = pitch(linear, "d") << linear.b if linear.b else shape.words(linear.outputs)
    end = linear.d + words
    words = shape.words(one.count)
    places = [getattr(one, name) for name in SOURCES.get(one.op, "")]
    return all(at >= end or at + words <= linear.d for at in places)
