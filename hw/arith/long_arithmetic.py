"""Sums and products that are too long for one cycle, over several stages of a pipeline.

Operands are unsigned. What a stage holds is for 0.18 um cells to do in some 40 FO4.
"""

from amaranth.hdl import Cat, Const, Value

from hw.arith.carry_save import CarrySave, add_rows, first_row
from hw.stream.pipeline import Pipeline, Staged

SECTION = 16  # bits through which a carry goes in a stage
STEPS = 24  # the same, where there is but a carry to add
ROWS = 11  # rows of a product added in a stage


def long_sum(
    pipe: Pipeline, a: Staged, b: Staged, *, carry: Staged | None = None, low: Staged | None = None
) -> Staged:
    """Return ``a + b + carry``, one bit longer than the longer one, a section in each stage.

    ``low`` are bits below theirs, which go along.
    """
    carry = carry or Staged(Const(0, 1), a.depth)
    done = low or Staged(Const(0, 0), a.depth)
    bits = max(len(a.value), len(b.value))
    for start in range(0, bits, SECTION):
        parts = [_part(term, start, start + SECTION) for term in (a, b)]
        total = pipe.stage(lambda one, other, carry: one + other + carry, *parts, carry)
        done, carry = _grow(pipe, done, total, min(SECTION, bits - start))
    return _join(pipe, done, carry)


def negated_if(pipe: Pipeline, negative: Staged, value: Staged) -> Staged:
    """Return ``-value`` or ``value``, as wide."""
    done, carry = Staged(Const(0, 0), value.depth), negative
    for start in range(0, len(value.value), STEPS):
        part = _part(value, start, start + STEPS)
        total = pipe.stage(
            lambda flag, bits, carry: (bits ^ flag.replicate(len(bits))) + carry,
            negative,
            part,
            carry,
        )
        done, carry = _grow(pipe, done, total, len(part.value))
    return done


def long_product(pipe: Pipeline, factor: Staged, other: Staged) -> Staged:
    """Return ``factor * other``: rows in carry-save form, then one sum.

    The shorter the other factor, the fewer the stages.
    """
    bits = len(factor.value) + len(other.value)
    parts, row = None, 0
    while row < len(other.value):
        group = _part(other, row, row + ROWS)
        parts = _add_rows(pipe, parts, factor, group)
        row += ROWS
    assert parts is not None, "a factor has at least one bit"
    low, sums, carries = parts
    return _part(long_sum(pipe, sums, carries, low=low), 0, bits)


def _part(operand: Staged, low: int, high: int) -> Staged:
    return Staged(operand.value[low:high], operand.depth)


def _grow(pipe: Pipeline, done: Staged, total: Staged, width: int) -> tuple[Staged, Staged]:
    """Return what is complete with a section's sum, and its carry."""
    carry = Staged(total.value[width], total.depth)
    return _join(pipe, done, Staged(total.value[:width], total.depth)), carry


def _join(pipe: Pipeline, low: Staged, high: Staged) -> Staged:
    """Put bits of the latest stage above those that came before."""
    return Staged(Cat(pipe.at(low, high.depth), high.value), high.depth)


def _add_rows(
    pipe: Pipeline, so_far: tuple[Staged, ...] | None, factor: Staged, group: Staged
) -> tuple[Staged, ...]:
    """Add the rows of some bits of the other factor, in one stage."""
    m = pipe.m
    depth = max(operand.depth for operand in (factor, group, *(so_far or ())))
    number, bits = pipe.at(factor, depth), pipe.at(group, depth)
    if so_far is None:
        rows = add_rows(m, first_row(m, number, bits[0], "row"), number, bits[1:], "row")
    else:
        before = CarrySave(*(pipe.at(part, depth) for part in so_far))
        rows = add_rows(m, before, number, bits, "row")
    return tuple(pipe.stage(lambda bits: bits, Staged(Value.cast(part), depth)) for part in rows)
