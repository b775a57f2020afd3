"""Error store: keeps what each outlier is beyond its centroid, and which input channel it is."""

from typing import ClassVar

from amaranth.hdl import Array, Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.exact.spec import A_FRACTION_BITS
from hw.fp16.fp16_from_integer import Fp16FromInteger
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter_fp16.dequant_unit import CODEBOOK
from hw.linear.counter_fp16.error_unit import ErrorUnit
from hw.linear.counter_fp16.fp16_token_scale import Fp16TokenScale
from hw.linear.engine_spec import INDEX_BITS, SCALE
from hw.stream.pipeline import later
from hw.stream.share import share
from hw.stream.token_buffer import WriteInterface, WritePort
from hw.token.clustering_unit import ClusteringUnit, ordered, thresholds_layout
from hw.token.reciprocal import QUOTIENT_BITS

CODES = 1 << INDEX_BITS


class ErrorStore(wiring.Component):
    """Take a token's outliers, one per cycle, for the FP16 compensation MACs.

    Bit-exact with :func:`golden.exact.counter_fp16.error_units`. The counterpart of
    :class:`hw.linear.counter.residual_store.ResidualStore`, with the same ports.

    Parameters
    ----------
    spec : CounterSpec
        Form of the codebook, and the largest number of outliers.

    Ports
    -----
    k_top : In(range(spec.outliers_max + 1))
        Outliers on each side.
    a_centroids : In(array of centroids)
        As for :class:`hw.token.midpoint_scaler.MidpointScaler`. Steady for ``SETTLING`` cycles
        before a token: one after the other they are turned into FP16, all the time.
    w_centroids : In(array of centroids)
        Not used.
    scale : In(``SCALE``)
        The token's scale. This and the next are steady from ``start`` to ``finished``.
    thresholds : In(``thresholds_layout(symmetric)``)
        The token's cluster boundaries.
    reciprocal : In(18)
        Not used.
    start : In(1)
        Strobe: begin with the token's outliers.
    finished : Out(1)
        High while no token is under way.
    i : In(stream of spec.outlier)
        2 k_top outliers per token.
    rows : Out(``WritePort``)
        FP16 error of outlier n in word n. ``done`` stays low: the token's owner raises it.
    positions : Out(``WritePort``)
        Their input channels. ``done`` stays low.
    saturated : Out(1)
        Stays low.

    Timing
    ------
    Latency : ``fill`` cycles and ``period`` for each outlier, then ``finished``.
    Rate : one outlier per cycle.
    Through paths : none.
    Reset : drops the token under way.
    """

    CODED: ClassVar[int] = 3  # cycles from an outlier to its code, while the scale becomes FP16
    SETTLING: ClassVar[int] = CODES + 2 + Fp16FromInteger.STAGES

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

    def __init__(self, spec: CounterSpec) -> None:
        self.spec = spec
        self.fill = self.CODED + ErrorUnit.LATENCY
        self.period = 1
        shape = (unsigned if spec.numbers.symmetric else signed)(spec.centroid_bits)
        codebook = data.ArrayLayout(shape, spec.entries)
        ports = {
            "k_top": In(range(spec.outliers_max + 1)),
            "a_centroids": In(codebook),
            "w_centroids": In(codebook),
            "scale": In(SCALE),
            "thresholds": In(thresholds_layout(spec.numbers.symmetric)),
            "reciprocal": In(QUOTIENT_BITS),
            "start": In(1),
            "finished": Out(1),
            "i": In(stream.Signature(spec.outlier)),
            "rows": Out(WritePort(16, 1, 2 * spec.outliers_max)),
            "positions": Out(WritePort(spec.position_bits, 1, 2 * spec.outliers_max)),
            "saturated": Out(1),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        spec = self.spec
        wanting, busy = Signal(), Signal()
        asked, count = (
            Signal(range(2 * spec.outliers_max + 1), name=n) for n in ("asked", "count")
        )
        taken = Signal()
        m.d.comb += [self.i.ready.eq(wanting), taken.eq(self.i.valid & wanting)]
        with m.If(self.start):
            m.d.sync += [wanting.eq(self.k_top != 0), asked.eq(0)]
        with m.Elif(taken):
            m.d.sync += [asked.eq(asked + 1), wanting.eq(asked + 1 != self.k_top << 1)]

        clustering, unit = ClusteringUnit(spec.numbers.symmetric), ErrorUnit()
        scale = Fp16TokenScale()
        m.submodules.clustering = share(platform, clustering)
        m.submodules.unit = share(platform, unit)
        m.submodules.scale = share(platform, scale)
        # 1: the key as FP16. 2: its code. 3: another cycle, as the scale takes three.
        key = self.i.payload.key
        x, code = Signal(16, reset_less=True), Signal(INDEX_BITS, reset_less=True)
        m.d.sync += [x.eq(Cat(abs(key)[:15], key < 0)), code.eq(clustering.code)]
        m.d.comb += [
            clustering.activation.eq(ordered(x, symmetric=spec.numbers.symmetric)),
            clustering.thresholds.eq(self.thresholds),
            scale.i.eq(self.scale),
            unit.codebook.eq(self._codebook(m, platform)),
            unit.code.eq(later(m, code, 1)),
            unit.x.eq(later(m, x, 2)),
            unit.live.eq(later(m, ~self.i.payload.repeated, self.CODED)),
            unit.scale.eq(scale.o),
        ]

        write = Signal(self.fill)
        m.d.sync += write.eq(Cat(taken, write))
        m.d.comb += [
            self.finished.eq(~busy),
            self.rows.en.eq(write[-1]),
            self.rows.address.eq(count),
            self.rows.data.eq(unit.o),
            self.positions.en.eq(write[-1]),
            self.positions.address.eq(count),
            self.positions.data.eq(later(m, self.i.payload.position, self.fill)),
        ]
        with m.If(self.start):
            m.d.sync += [busy.eq(self.k_top != 0), count.eq(0)]
        with m.Elif(write[-1]):
            m.d.sync += [count.eq(count + 1), busy.eq(count + 1 != self.k_top << 1)]
        return m

    def _codebook(self, m: Module, platform: object) -> data.View:
        """Return the centroids in FP16, by code."""
        spec = self.spec
        convert = Fp16FromInteger(spec.centroid_bits + 1, pipelined=True)
        m.submodules.convert = share(platform, convert)
        number = Signal(INDEX_BITS)
        chosen = Signal(signed(spec.centroid_bits + 1), reset_less=True)
        m.d.sync += number.eq(number + 1)
        if spec.numbers.symmetric:
            stored = self.a_centroids[number[:-1]]
            m.d.sync += chosen.eq(Mux(number[-1], -stored, stored))
        else:
            m.d.sync += chosen.eq(self.a_centroids[number])
        m.d.comb += convert.i.eq(chosen)
        # An integer is in units of 2**-10: all but zero have a larger exponent than that.
        pattern = Signal(16)
        exponent = convert.o[10:15]
        lower = Mux(exponent.any(), exponent - A_FRACTION_BITS, 0)
        m.d.comb += pattern.eq(Cat(convert.o[:10], lower[:5], convert.o[15]))
        codebook = Signal(CODEBOOK, reset_less=True)
        place = later(m, number, 1 + convert.latency)
        m.d.sync += Array(codebook[n] for n in range(CODES))[place].eq(pattern)
        return codebook
