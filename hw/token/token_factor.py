"""Token factor: a token's scale times a factor that comes with the token."""

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib import stream

from golden.exact.spec import SCALE_BITS
from hw.arith.long_arithmetic import long_product
from hw.formats import A_EXPONENT, SCALE
from hw.stream.component import Component, InStream, OutStream
from hw.stream.pipeline import Pipeline, Staged, flow, scratch
from hw.token.token_scale import round_product


class TokenFactor(Component):
    """Multiply the scale of each token by the token's factor.

    Bit-exact with :func:`golden.exact.token_scale.times_factor`.

    Timing
    ------
    Latency : ``latency`` cycles from the transfers to ``o.valid``.
    Rate : one scale per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready`` and ``factor_i.ready``, ``i.valid`` to
        ``factor_i.ready``, ``factor_i.valid`` to ``i.ready``; combinational.
    Reset : drops the scales in flight.
    """

    i = InStream(SCALE)
    """Normalised mantissas and exponents."""
    factor_i = InStream(SCALE)
    """A factor for each scale, normalised, with an exponent of
    :data:`golden.exact.token_scale.TOKEN_FACTOR_EXPONENTS`.
    """
    o = OutStream(SCALE)
    """The products, normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.latency = self._product(scratch()).depth

    def build(self, m: Module) -> None:  # noqa: D102
        both = stream.Signature(0).create()
        m.d.comb += [
            both.valid.eq(self.i.valid & self.factor_i.valid),
            self.i.ready.eq(both.ready & self.factor_i.valid),
            self.factor_i.ready.eq(both.ready & self.i.valid),
        ]
        pipe = Pipeline(m, flow(m, both, self.o, self.latency))
        m.d.comb += self.o.payload.eq(self._product(pipe).value)

    def _product(self, pipe: Pipeline) -> Staged:
        """Return the product, as many stages behind the inputs as it takes."""
        scale, factor = self.i.payload, self.factor_i.payload
        # Mantissas are normalised: their first bit is always one.
        mantissas = (Cat(one.mantissa[:-1], Const(1, 1)) for one in (scale, factor))
        product = long_product(pipe, *pipe.start(*mantissas))
        least_exponent = pipe.stage(
            lambda a, f: (a.as_signed() + f.as_signed() + SCALE_BITS - 1)[: A_EXPONENT.width],
            *pipe.start(scale.exponent, factor.exponent),
        )

        def finish(product: Value, exponent: Value) -> Value:
            rounded = round_product(pipe.m, product)
            up = rounded[SCALE_BITS:]
            return Cat(rounded[:SCALE_BITS], (exponent + up)[: A_EXPONENT.width])

        return pipe.stage(finish, product, least_exponent)
