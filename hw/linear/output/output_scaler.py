"""Output scaler: an exact sum becomes an FP16 number, rounded once."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.utils import exact_log2

from golden.exact.fp16 import INFINITY
from golden.exact.spec import SCALE_BITS
from hw.arith.long_arithmetic import long_product, long_sum, negated_if
from hw.arith.shifts import normalise
from hw.arith.wires import wire
from hw.engine_spec import CHANNEL
from hw.formats import SCALE
from hw.stream.component import Component, InStream, OutStream
from hw.stream.pipeline import Pipeline, Staged, scratch

# Half of the smallest FP16 step decides a rounding, together with whether there is anything below.
UNIT = -25
# From 2**17 on the result is infinite whatever the bias.
BEYOND = 17
WHOLE_BITS = BEYOND - UNIT


class OutputScaler(Component):
    """Compute FP16(sum * s_a * s_w + bias), to nearest, ties to even.

    Bit-exact with :func:`golden.exact.fp16.round_scaled_sum`.

    Parameters
    ----------
    sum_bits : int
        Bits of a sum, with sign.

    Timing
    ------
    Latency : ``latency`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one sum per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready``, combinational.
    Reset : drops the sums in flight.
    """

    i = InStream(lambda c: c.term)
    """``sum`` in table units, the token's ``scale``, the output ``channel``'s parameters, whether
    the result is ``used``, and ``last``, which is passed on.
    """
    o = OutStream(lambda c: c.result)
    """FP16 pattern ``y``, whether it is used and ``infinite``, and ``last``."""

    def __init__(self, sum_bits: int) -> None:
        self.sum_bits = sum_bits
        self.term = data.StructLayout(
            {"sum": signed(sum_bits), "scale": SCALE, "channel": CHANNEL, "used": 1, "last": 1}
        )
        self.result = data.StructLayout({"y": 16, "infinite": 1, "last": 1})
        super().__init__()
        self.latency = self._result(scratch()).depth

    def build(self, m: Module) -> None:  # noqa: D102
        advance = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(advance)
        m.d.comb += self.o.payload.eq(self._result(Pipeline(m, advance)).value)
        valid = Signal(self.latency)
        with m.If(advance):
            m.d.sync += valid.eq(Cat(self.i.valid, valid))
        m.d.comb += self.o.valid.eq(valid[-1])

    def _result(self, pipe: Pipeline) -> Staged:
        """Return the output, as many stages behind the input as it takes."""
        term = self.i.payload
        scale, channel = term.scale, term.channel
        negative, bias, used, last = pipe.start(term.sum < 0, channel.bias, term.used, term.last)
        magnitude = negated_if(pipe, negative, *pipe.start(term.sum[: self.sum_bits - 1]))
        mantissa = long_product(pipe, *pipe.start(scale.mantissa, channel.mantissa))
        product = long_product(pipe, magnitude, mantissa)
        distance = pipe.stage(_distance, *pipe.start(scale.exponent, channel.exponent))
        whole, beyond = _align(pipe, product, distance)
        total, sign = _add_bias(pipe, whole, negative, bias)
        pattern = _round(pipe, total)

        def finish(pattern, beyond, negative, sign, used, last):
            infinite = beyond | (pattern >= INFINITY)
            magnitude = Mux(infinite, INFINITY, pattern)[:15]
            # What is beyond has the sum's sign: its total means nothing.
            return Cat(magnitude, Mux(beyond, negative, sign), infinite & used, last)

        return pipe.stage(finish, pattern, beyond, negative, sign, used, last)


def _distance(scale: Value, channel: Value) -> Value:
    """Return how far the product, set above the window, goes to the right.

    Beyond the product's own bits, nothing changes.
    """
    distance = BEYOND - (scale.as_signed() + channel.as_signed())
    return Mux(distance < 0, 0, Mux(distance > 127, 127, distance))[:7]


def _align(pipe: Pipeline, product: Staged, distance: Staged) -> tuple[Staged, Staged]:
    """Return the product in half units of 2**UNIT, and whether it goes beyond them.

    The lowest bit says that there is more below. The longest shifts come first: bits that the
    others cannot bring into the window need not go through them.
    """

    def shift(wide: Value, distance: Value, below: Value, above: Value, *steps: int) -> Value:
        for step in steps:
            go = distance[exact_log2(step)]
            below = below | (go & wide[:step].any())
            wide = wire(pipe.m, Mux(go, wide[step:], wide), f"shifted_{step}")
            reach = WHOLE_BITS + step - 1
            above = above | wide[reach:].any()
            wide = wide[:reach]
        return Cat(below, above, wide)

    def far(product: Value, distance: Value) -> Value:
        wide = Cat(Const(0, WHOLE_BITS), product)
        return shift(wide, distance, Const(0, 1), Const(0, 1), 64, 32, 16)

    def near(so_far: Value, distance: Value) -> Value:
        return shift(so_far[2:], distance, so_far[0], so_far[1], 8, 4, 2, 1)

    window = pipe.stage(near, pipe.stage(far, product, distance), distance)
    bits = window.value
    return (Staged(Cat(bits[0], bits[2:]), window.depth), Staged(bits[1], window.depth))


def _add_bias(
    pipe: Pipeline, whole: Staged, negative: Staged, bias: Staged
) -> tuple[Staged, Staged]:
    """Add the bias exactly; return magnitude and sign of the total."""
    bits = WHOLE_BITS + 2  # of the magnitude; one more says which is larger

    def units(bias: Value, negative: Value) -> Value:
        exponent = bias[10:15]
        mantissa = Cat(bias[:10], exponent.any())
        shifted = mantissa << Mux(exponent.any(), exponent - 1, 0)[:5]
        units = Cat(Const(0, 1 - 24 - UNIT), shifted)[:bits]
        # Relative to the product's sign, so that one adder does.
        less = wire(pipe.m, negative ^ bias[15], "less")
        wide = Cat(units, Const(0, bits + 1 - len(units)))
        return Cat(wide ^ less.replicate(bits + 1), less)

    at = Staged(pipe.at(bias, whole.depth - 1), whole.depth - 1)
    addend = pipe.stage(units, at, negative)
    number = Staged(addend.value[:-1], addend.depth)
    total = long_sum(pipe, whole, number, carry=Staged(addend.value[-1], addend.depth))
    turned = Staged(total.value[bits], total.depth)
    magnitude = negated_if(pipe, turned, Staged(total.value[:bits], total.depth))
    sign = pipe.stage(
        lambda magnitude, turned, negative: (negative ^ turned) & magnitude.any(),
        *(magnitude, turned, negative),
    )
    return magnitude, sign


def _round(pipe: Pipeline, total: Staged) -> Staged:
    """Return the FP16 magnitude nearest to the total, ties to even."""

    # 31 places at most: what is still not normalised then is subnormal, and in its place.
    def far(total: Value) -> Value:
        return Cat(*normalise(pipe.m, total, "far", (16, 8)))

    def near(so_far: Value) -> Value:
        normal, zeros = normalise(pipe.m, so_far[:-2], "near", (4, 2, 1))
        zeros = Cat(zeros, so_far[-2:])
        below = len(normal) - SCALE_BITS
        kept = normal[below:]
        # Each doubling adds 1024; the hidden bit adds the first. A carry goes where it should.
        pattern = Cat(kept[:-1], ~zeros + kept[-1])
        return Cat(normal[below - 1] & (normal[: below - 1].any() | kept[0]), pattern)

    floor = pipe.stage(near, pipe.stage(far, total))
    return pipe.stage(lambda floor: floor[1:] + floor[0], floor)
