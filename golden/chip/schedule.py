"""Schedule: the order of a program's instructions, so that less of the chip waits."""

from collections.abc import Sequence

from golden.chip.instruction import Instruction, Op

Named = tuple[str, Instruction]
LOADS = (Op.CONSTANTS, Op.CHANNELS)
# Scales of keys are not read before they are written; behind NEXT a token may be chosen, or not.
BARRIERS = (Op.CACHE, Op.NEXT)


def constants_early(program: Sequence[Named]) -> list[Named]:
    """Return the program with constants loaded right behind the LINEAR before.

    The chip does that while LINEAR is under way. The order of what loads, and that of all others,
    stays.
    """
    done: list[Named] = []
    at = 0  # where the next that loads may stand; 0: only where it is
    for name, one in program:
        if one.op in LOADS and at:
            done.insert(at, (name, one))
            at += 1
            continue
        done.append((name, one))
        if one.op == Op.LINEAR:
            at = len(done)
        elif one.op in BARRIERS:
            at = 0
    return done
