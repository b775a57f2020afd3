"""Residual builder: what each outlier adds beyond its centroid, for every weight centroid."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from golden.exact.spec import A_FRACTION_BITS
from hw.arith.long_arithmetic import long_product
from hw.arith.wires import wire
from hw.engine_spec import EngineSpec
from hw.stream.component import In, Out
from hw.stream.pipeline import Pipeline, Staged, scratch
from hw.stream.share import looked_at
from hw.stream.token_buffer import WritePort
from hw.token.outlier_residual import OutlierResidual
from hw.token.outlier_user import OutlierUser


class ResidualBuilder(OutlierUser):
    """Build the residual rows of a token's outliers and note which input channels they are.

    Bit-exact with :func:`golden.exact.linear.outlier_rows`. A multiplier makes one product with a
    weight centroid per cycle, while the next outlier's residual is on its way.

    Timing
    ------
    Latency : ``fill`` cycles and ``period`` for each outlier, then ``finished``.
    Rate : an outlier every ``period`` cycles.
    Through paths : none.
    Reset : drops the token under way.
    """

    rows = Out(
        lambda c: WritePort(
            c.spec.row.size,
            c.spec.inputs_per_beat,
            c.spec.row_words,
        )
    )
    """Residual rows: lane ``n % k_t`` of word ``(n // k_t) * spec.residual_digits + digit`` for
    outlier n, digit 0 the lowest. ``done`` stays low: the token's owner raises it.
    """
    positions = Out(
        lambda c: WritePort(c.spec.position_bits, c.spec.inputs_per_beat, c.spec.groups_max)
    )
    """Their input channels: lane ``n % k_t`` of word ``n // k_t``. ``done`` stays low."""
    w_centroids = In(lambda c: c.spec.weight_codebook)
    """Weight codebook, in table units: magnitudes and signs; of a symmetric one the positive half.
    """
    digits = In(lambda c: range(c.spec.residual_digits + 1))
    """How many digits of the rows are used: of plain rows, the last one holds the sign."""

    def __init__(self, spec: EngineSpec) -> None:
        # The first entry of the next row overwrites this one's when its last digit is written.
        self.period = spec.entries + spec.residual_digits - 1
        self.entry = data.StructLayout(
            {
                "number": exact_log2(spec.entries),
                "magnitude": spec.residual_bits,
                "sign": 1,
            }
        )
        super().__init__(spec)
        residuals = looked_at(OutlierResidual(spec))
        residual, turn = Signal(spec.outlier_residual), Signal(range(self.period))
        self.depth = self._entry(scratch(), turn, residual).depth
        self.fill = residuals.latency + self.depth + 2

    def build(self, m: Module) -> None:  # noqa: D102
        residuals = self.residuals(m)
        residual = Signal(self.spec.outlier_residual)
        turn = Signal(range(self.period))
        asking = Signal()
        m.d.comb += residuals.o.ready.eq(~asking | (turn == self.period - 1))
        m.d.sync += turn.eq(turn + 1)
        with m.If(residuals.o.ready):
            m.d.sync += [residual.eq(residuals.o.payload), turn.eq(0)]
            m.d.sync += asking.eq(residuals.o.valid)

        # Entries follow each other; the row is written behind its last one.
        pipe = Pipeline(m, 1)
        entry = data.View(self.entry, self._entry(pipe, turn, residual).value)
        valid = Signal(self.depth)
        m.d.sync += valid.eq(Cat(asking & (turn < self.spec.entries), valid))
        row = [Signal(self.spec.residual_bits, name=f"entry{n}") for n in range(self.spec.entries)]
        signs = Signal(self.spec.entries)
        position = Signal.like(residual.position)
        with m.If(valid[-1]):
            m.d.sync += Array(row)[entry.number].eq(entry.magnitude)
            m.d.sync += signs.bit_select(entry.number, 1).eq(entry.sign)
            with m.If(entry.number == 0):
                m.d.sync += position.eq(residual.position)
        complete = valid[-1] & (entry.number == self.spec.entries - 1)
        self._write(m, complete, position, row, signs)

    def _entry(self, pipe: Pipeline, turn: Signal, residual: data.View) -> Staged:
        """Return a row's entry: the residual times a weight centroid, in table units."""
        numbers, bits = self.spec.numbers, self.spec.residual_bits
        number, magnitude, negative = pipe.start(
            turn[: exact_log2(self.spec.entries)], residual.magnitude, residual.negative
        )
        weight = pipe.stage(lambda number: Value.cast(self.w_centroids[number]), number)
        if numbers.symmetric:
            size, sign = weight, Staged(Const(0, 1), weight.depth)
        else:
            size, sign = (
                Staged(part, weight.depth) for part in (weight.value[:-1], weight.value[-1])
            )
        product = long_product(pipe, magnitude, size)
        shift = A_FRACTION_BITS + numbers.w_fraction_bits

        def finish(product, number, negative, sign):
            rounded = wire(pipe.m, (product[shift - 1 : shift + bits] + 1) >> 1, "rounded")
            return Cat(number, rounded[:bits], negative ^ sign)

        return pipe.stage(finish, product, number, negative, sign)

    def _write(
        self, m: Module, complete: Value, position: Signal, row: list, signs: Signal
    ) -> None:
        """Write every digit of a row, and its outlier's position, once it is complete."""
        spec = self.spec
        busy, writing = Signal(), Signal()
        count = Signal(range(2 * spec.outliers_max + 1))
        digit = Signal(range(spec.residual_digits))
        m.d.comb += self.finished.eq(~busy)
        with m.If(self.start):
            m.d.sync += [busy.eq(self.k_top != 0), count.eq(0)]
        with m.If(complete):
            m.d.sync += [writing.eq(1), digit.eq(0)]
        with m.Elif(writing):
            m.d.sync += digit.eq(digit + 1)
            with m.If(digit == spec.residual_digits - 1):
                m.d.sync += [writing.eq(0), count.eq(count + 1)]
                with m.If(count + 1 == self.k_top << 1):
                    m.d.sync += busy.eq(0)
        lane_bits = exact_log2(spec.inputs_per_beat)
        lane = Const(1, spec.inputs_per_beat) << count[:lane_bits]
        group = count[lane_bits:]
        digits = spec.residual_digits
        words = Array(self._digit_row(row, signs, n) for n in range(digits))
        copies = spec.inputs_per_beat
        m.d.comb += [
            self.rows.en.eq(lane & writing.replicate(spec.inputs_per_beat)),
            self.rows.address.eq(group * digits + digit),
            self.rows.data.eq(words[digit].replicate(copies)),
            self.positions.en.eq(lane & writing.replicate(spec.inputs_per_beat)),
            self.positions.address.eq(group),
            self.positions.data.eq(position.replicate(copies)),
        ]

    def _digit_row(self, row: list, signs: Signal, digit: int):
        """Return one digit of a row, laid out as ``spec.row``."""
        bits = self.spec.numbers.magnitude_bits
        low = slice(digit * bits, (digit + 1) * bits)
        if self.spec.numbers.symmetric:
            return Cat(signs[0], (_extended(entry, low) for entry in row))
        # Of two's complement the digits below the last one are positive.
        last = self.digits == digit + 1
        values = [Mux(sign, -entry, entry) for sign, entry in zip(signs, row, strict=True)]
        wide = slice(low.start, low.stop + 1)
        return Cat(_extended(value, wide) & Cat(Const(-1, bits), last) for value in values)


def _extended(value: Value, part: slice) -> Value:
    """Return some bits of a number, which may not have as many."""
    missing = max(part.stop - len(value), 0)
    filler = value[-1].replicate(missing) if value.shape().signed else Const(0, missing)
    return Cat(value, filler)[part]
