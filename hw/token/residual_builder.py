"""Residual builder: what each outlier adds beyond its centroid, for every weight centroid."""

from typing import ClassVar, Protocol

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from golden.spec import A_FRACTION_BITS
from hw.common.share import share
from hw.common.token_buffer import WriteInterface, WritePort
from hw.engine_spec import SCALE, EngineSpec
from hw.token.clustering_unit import thresholds_layout
from hw.token.outlier_residual import RESIDUAL_BITS, OutlierResidual
from hw.token.reciprocal import QUOTIENT_BITS


class ResidualBuilder(wiring.Component):
    """Build the residual rows of a token's outliers and note which input channels they are.

    Bit-exact with :func:`golden.linear.outlier_rows`. A multiplier makes one product with a
    weight centroid per cycle, while the next outlier's residual is on its way.

    Parameters
    ----------
    spec : EngineSpec
        Widths, lanes and the largest number of outliers.

    Ports
    -----
    k_top : In(range(spec.outliers_max + 1))
        Outliers on each side.
    a_centroids : In(array of centroids)
        As for :class:`hw.token.midpoint_scaler.MidpointScaler`.
    w_centroids : In(array of centroids)
        Ascending, in table units; the positive ones of a symmetric codebook.
    scale : In(``SCALE``)
        The token's scale. This and the next two are steady from ``start`` to ``finished``.
    thresholds : In(``thresholds_layout(symmetric)``)
        The token's cluster boundaries.
    reciprocal : In(18)
        Of the scale's mantissa.
    start : In(1)
        Strobe: begin with the token's outliers.
    finished : Out(1)
        High while no token is under way.
    i : In(stream of spec.outlier)
        2 k_top outliers per token.
    rows : Out(``WritePort``)
        Residual rows: lane ``n % k_t`` of word ``(n // k_t) * digits + digit`` for outlier n,
        digit 0 the lowest. ``done`` stays low: the token's owner raises it.
    positions : Out(``WritePort``)
        Their input channels: lane ``n % k_t`` of word ``n // k_t``. ``done`` stays low.
    saturated : Out(1)
        Strobe: a ratio or a row's entry was beyond its range and took the largest value.

    Timing
    ------
    Latency : ``START`` cycles and ``outlier_cycles`` for each outlier, then ``finished``.
    Rate : one outlier at a time.
    Through paths : none.
    Reset : drops the token under way.
    """

    START: ClassVar[int] = OutlierResidual.LATENCY

    k_top: Signal
    a_centroids: data.View
    w_centroids: data.View
    scale: data.View
    thresholds: data.View
    reciprocal: Signal
    start: Signal
    finished: Signal
    i: stream.Interface
    rows: WriteInterface
    positions: WriteInterface
    saturated: Signal

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        numbers = spec.numbers
        # Take its residual, make the entries in two stages, write the digits.
        self.outlier_cycles = 1 + spec.entries + 1 + numbers.residual_digits
        shape = (unsigned if numbers.symmetric else signed)(spec.centroid_bits)
        codebook = data.ArrayLayout(shape, spec.entries)
        lanes, groups = spec.inputs_per_beat, spec.groups_max
        ports = {
            "k_top": In(range(spec.outliers_max + 1)),
            "a_centroids": In(codebook),
            "w_centroids": In(codebook),
            "scale": In(SCALE),
            "thresholds": In(thresholds_layout(numbers.symmetric)),
            "reciprocal": In(QUOTIENT_BITS),
            "start": In(1),
            "finished": Out(1),
            "i": In(stream.Signature(spec.outlier)),
            "rows": Out(WritePort(spec.row.size, lanes, groups * numbers.residual_digits)),
            "positions": Out(WritePort(spec.position_bits, lanes, groups)),
            "saturated": Out(1),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        residuals = token_residuals(m, platform, self)
        residual = Signal(residuals.residual)
        count = Signal(range(2 * self.spec.outliers_max + 1))
        entry = Signal(range(self.spec.entries))
        digit = Signal(range(max(self.spec.numbers.residual_digits, 2)))

        weight = self.w_centroids[entry]
        product = Signal(RESIDUAL_BITS + self.spec.centroid_bits)
        m.d.sync += product.eq(residual.magnitude * abs(weight))
        row_entry, clipped = self._round_entry(m, product)
        row = [Signal(self.spec.residual_bits, name=f"entry{n}") for n in range(self.spec.entries)]
        signs = Signal(self.spec.entries)
        entry_valid, entry_number, entry_sign = Signal(), Signal.like(entry), Signal()
        m.d.sync += [
            entry_valid.eq(0),
            entry_number.eq(entry),
            entry_sign.eq(residual.negative ^ (weight < 0)),
        ]
        with m.If(entry_valid):
            m.d.sync += Array(row)[entry_number].eq(row_entry)
            m.d.sync += signs.bit_select(entry_number, 1).eq(entry_sign)
            m.d.comb += self.saturated.eq(clipped)

        with m.FSM(name="phase"):
            with m.State("IDLE"):
                m.d.comb += self.finished.eq(1)
                with m.If(self.start & (self.k_top != 0)):
                    m.d.sync += count.eq(0)
                    m.next = "TAKE"
            with m.State("TAKE"):
                m.d.comb += residuals.o.ready.eq(1)
                m.d.sync += [residual.eq(residuals.o.payload), entry.eq(0)]
                with m.If(residuals.o.valid):
                    m.d.comb += self.saturated.eq(residuals.o.payload.saturated)
                    m.next = "ENTRIES"
            with m.State("ENTRIES"):
                m.d.sync += [entry_valid.eq(1), entry.eq(entry + 1)]
                with m.If(entry == self.spec.entries - 1):
                    m.next = "LAST ENTRY"
            with m.State("LAST ENTRY"):
                m.d.sync += digit.eq(0)
                m.next = "WRITE"
            with m.State("WRITE"):
                self._write(m, residual.position, count, digit, row, signs)
                m.d.sync += digit.eq(digit + 1)
                with m.If(digit == self.spec.numbers.residual_digits - 1):
                    m.d.sync += count.eq(count + 1)
                    with m.If(count + 1 == self.k_top << 1):
                        m.next = "IDLE"
                    with m.Else():
                        m.next = "TAKE"
        return m

    def _round_entry(self, m: Module, product: Signal):
        """Return a product in table units, halves away from zero, and whether it saturated."""
        shift = A_FRACTION_BITS + self.spec.numbers.w_fraction_bits
        rounded = Signal(len(product) - shift + 1)
        m.d.comb += rounded.eq((product[shift - 1 :] + 1) >> 1)
        clipped = rounded[self.spec.residual_bits :].any()
        return Mux(clipped, self.spec.numbers.residual_max, rounded), clipped

    def _write(
        self, m: Module, position, count: Signal, digit: Signal, row: list, signs: Signal
    ) -> None:
        """Write one digit of every entry, and the outlier's position."""
        spec = self.spec
        lane_bits = exact_log2(spec.inputs_per_beat)
        lane = Const(1, spec.inputs_per_beat) << count[:lane_bits]
        group = count[lane_bits:]
        digits = spec.numbers.residual_digits
        words = Array(self._digit_row(row, signs, n) for n in range(digits))
        copies = spec.inputs_per_beat
        m.d.comb += [
            self.rows.en.eq(lane),
            self.rows.address.eq(group * digits + digit),
            self.rows.data.eq(words[digit].replicate(copies)),
            self.positions.en.eq(lane),
            self.positions.address.eq(group),
            self.positions.data.eq(position.replicate(copies)),
        ]

    def _digit_row(self, row: list, signs: Signal, digit: int):
        """Return one digit of a row, laid out as ``spec.row``."""
        bits = self.spec.numbers.magnitude_bits
        low = slice(digit * bits, (digit + 1) * bits)
        if self.spec.numbers.symmetric:
            return Cat(signs[0], (entry[low] for entry in row))
        values = [Mux(sign, -entry, entry) for sign, entry in zip(signs, row, strict=True)]
        # Of two's complement the digits below the top one are positive.
        top = digit == self.spec.numbers.residual_digits - 1
        wide = slice(low.start, low.stop + 1)
        return Cat(value[wide] if top else Cat(value[low], Const(0, 1)) for value in values)


class OutlierUser(Protocol):
    """What works on a token's residuals: the ports that are needed to get them."""

    spec: EngineSpec
    k_top: Signal
    a_centroids: data.View
    scale: data.View
    thresholds: data.View
    reciprocal: Signal
    start: Signal
    i: stream.Interface


def token_residuals(m: Module, platform: object, user: OutlierUser) -> OutlierResidual:
    """Let a token's outliers, and no others, into the stages that find their residuals."""
    residuals = OutlierResidual(user.spec)
    m.submodules.residuals = share(platform, residuals)
    wanting = Signal()
    asked = Signal(range(2 * user.spec.outliers_max + 1))
    m.d.comb += [
        residuals.a_centroids.eq(user.a_centroids),
        residuals.scale.eq(user.scale),
        residuals.thresholds.eq(user.thresholds),
        residuals.reciprocal.eq(user.reciprocal),
        residuals.i.payload.eq(user.i.payload),
        residuals.i.valid.eq(user.i.valid & wanting),
        user.i.ready.eq(residuals.i.ready & wanting),
    ]
    with m.If(user.start):
        m.d.sync += [wanting.eq(user.k_top != 0), asked.eq(0)]
    with m.Elif(user.i.valid & user.i.ready):
        m.d.sync += [asked.eq(asked + 1), wanting.eq(asked + 1 != user.k_top << 1)]
    return residuals
