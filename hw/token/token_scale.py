"""Token scale: the sum of absolute values times a factor, in 11 significant bits."""

from amaranth.hdl import Cat, Module, Mux, Value, signed
from amaranth.lib import data

from golden.exact.spec import FACTOR_BITS, MIN_SCALE_EXPONENT, SCALE_BITS
from hw.arith.long_arithmetic import long_product
from hw.arith.shifts import normalise
from hw.arith.wires import wire
from hw.engine_spec import EngineSpec
from hw.formats import A_EXPONENT, SCALE
from hw.stream.component import In, InStream, OutStream, Sized
from hw.stream.pipeline import Pipeline, Staged, flow, scratch

FACTOR = data.StructLayout({"mantissa": FACTOR_BITS, "exponent": signed(8)})


class TokenScale(Sized[EngineSpec]):
    """Turn the sum of a token's absolute values into its scale.

    Bit-exact with :func:`golden.exact.token_scale.token_scale`.

    Timing
    ------
    Latency : ``latency`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one scale per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready``, combinational.
    Reset : drops the scales in flight.
    """

    factor = In(FACTOR)
    """Multiplies the sum: 1/K for the mean. Steady while tokens are under way."""
    i = InStream(lambda c: c.spec.total_bits)
    """Sum in units of 2**-24."""
    o = OutStream(SCALE)
    """Normalised mantissa (1024 to 2047) and exponent."""

    def __init__(self, spec: EngineSpec) -> None:
        super().__init__(spec)
        self.latency = self._scale(scratch()).depth

    def build(self, m: Module) -> None:  # noqa: D102
        pipe = Pipeline(m, flow(m, self.i, self.o, self.latency))
        m.d.comb += self.o.payload.eq(self._scale(pipe).value)

    def _scale(self, pipe: Pipeline) -> Staged:
        """Return the scale, as many stages behind the input as it takes."""
        m, bits = pipe.m, self.spec.total_bits

        def find_head(so_far: Value) -> Value:
            """Return the 16 leading bits, and how many zeros there were above them."""
            normal, zeros = normalise(m, so_far[:bits], "near", (4, 2, 1))
            zeros = Cat(zeros, so_far[bits:])
            return Cat(normal[bits - FACTOR_BITS :], zeros)

        coarse = pipe.stage(
            lambda total: Cat(*normalise(m, total, "far", (32, 16, 8))), *pipe.start(self.i.payload)
        )
        found = pipe.stage(find_head, coarse)
        head = Staged(found.value[:FACTOR_BITS], found.depth)
        zeros = Staged(found.value[FACTOR_BITS:], found.depth)
        mantissa, exponent = pipe.start(self.factor.mantissa, self.factor.exponent)
        # A product of two normalised 16-bit numbers has 31 or 32 bits.
        product = long_product(pipe, head, Staged(mantissa.value, head.depth))
        drop = 2 * FACTOR_BITS - 1 - SCALE_BITS
        offset = bits - FACTOR_BITS - 24 + drop
        least_exponent = pipe.stage(
            lambda exponent, zeros: exponent.as_signed() + offset - zeros,
            *(Staged(exponent.value, zeros.depth), zeros),
        )

        def round_half_up(product: Value) -> Value:
            return Cat(round_product(m, product), product[-2:].any())

        def finish(rounded: Value, least_exponent: Value) -> Value:
            up = rounded[SCALE_BITS : SCALE_BITS + 2]
            exponent = wire(m, least_exponent.as_signed() + up, "exponent")
            least = wire(m, ~rounded[-1] | (exponent < MIN_SCALE_EXPONENT), "least")
            return Cat(
                Mux(least, 1 << (SCALE_BITS - 1), rounded[:SCALE_BITS]),
                Mux(least, MIN_SCALE_EXPONENT, exponent)[: A_EXPONENT.width],
            )

        return pipe.stage(finish, pipe.stage(round_half_up, product), least_exponent)


def round_product(m: Module, product: Value) -> Value:
    """Return the mantissa of a product of two normalised numbers, and how far it moved up: 0 to 2.

    Halves are rounded up.
    """
    drop = len(product) - 1 - SCALE_BITS
    kept = Mux(product[-1], product[drop:], product[drop - 1 :])[: SCALE_BITS + 1]
    rounded = wire(m, (kept >> 1) + kept[0], "rounded")  # the lowest bit is the half
    carry = rounded[SCALE_BITS]
    mantissa = Mux(carry, rounded >> 1, rounded)[:SCALE_BITS]
    return Cat(mantissa, (product[-1] + carry)[:2])
