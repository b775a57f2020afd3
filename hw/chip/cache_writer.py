"""Cache writer: the codes of a head's vector, and its scale, into the cache."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.utils import exact_log2

from golden.chip.shape import CODES_PER_BYTE, FP16_BYTES
from hw.chip.address import Address
from hw.chip.unit import Unit
from hw.chip.write_port import write_layout
from hw.formats import INDEX_BITS
from hw.stream.component import In, InStream, OutStream


class CacheWriter(Unit):
    """Gather the codes of a CACHE step in words, and write these and the scale.

    As :meth:`golden.chip.machine.Machine.cache` says: a word of keys has the codes of a beat's
    input lanes, one of values those of the output lanes.

    Timing
    ------
    Latency : a word is offered in the cycle after its last code, the scale two cycles after the
        last word is taken.
    Rate : a beat of codes per cycle, but for a cycle a word, or more where writes wait.
    Through paths : none.
    Reset : drops the step.
    """

    i = InStream(lambda c: c.codes)
    """``vector_lanes`` codes a beat, the lowest first."""
    last = In(1)
    """Whether the beat of codes is the last."""
    scale = In(16)
    """FP16 pattern of the scale; steady from the last beat on."""
    write_o = OutStream(lambda c: write_layout(c.spec))
    """What to write."""

    def __init__(self, spec) -> None:
        self.codes = INDEX_BITS * spec.vector_lanes
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec, step, piece = self.spec, self.step, self.write_o.payload
        engine = spec.engine
        most = max(engine.inputs_per_beat, engine.output_lanes)
        word = Signal(INDEX_BITS * most)
        count = Signal(range(most // spec.vector_lanes + 1))
        address = Address(m, "address")
        full, scales, scaling, end = Signal(), Signal(), Signal(), Signal()
        taken, written = Signal(), Signal()
        busy = self.run(m, scaling & written)
        length = Mux(step.keys, engine.inputs_per_beat, engine.output_lanes)
        place = Mux(step.keys, step.position[: exact_log2(engine.output_lanes)], step.position)
        width = [
            exact_log2(n // CODES_PER_BYTE) for n in (engine.inputs_per_beat, engine.output_lanes)
        ]
        m.d.comb += [
            self.i.ready.eq(busy & ~full & ~scales & ~scaling),
            taken.eq(self.i.valid & self.i.ready),
            self.write_o.valid.eq(full | scaling),
            written.eq(self.write_o.valid & self.write_o.ready),
        ]
        offset = Mux(step.keys, place << width[0], place << width[1])
        with m.If(self.start):
            m.d.sync += [
                *address.put(step.address, offset),
                count.eq(0),
                full.eq(0),
                scales.eq(0),
                scaling.eq(0),
                end.eq(0),
            ]
        with m.If(taken):
            m.d.sync += [
                word.eq(Cat(word[self.codes :], self.i.payload)),
                count.eq(count + 1),
                end.eq(self.last),
            ]
            with m.If((count + 1) << exact_log2(spec.vector_lanes) == length):
                m.d.sync += [full.eq(1), count.eq(0)]
        with m.If(written):
            m.d.sync += [full.eq(0), *address.grow(step.step), scales.eq(end & ~scaling)]
            with m.If(end):
                scale_offset = step.position << exact_log2(FP16_BYTES)
                m.d.sync += address.put(step.outputs, scale_offset)
        with m.If(scales):
            m.d.sync += [scales.eq(0), scaling.eq(1)]
        with m.If(written & scaling):
            m.d.sync += scaling.eq(0)

        size = len(piece.strobe)
        strobes = {
            n: (1 << n // CODES_PER_BYTE) - 1 for n in (engine.inputs_per_beat, engine.output_lanes)
        }
        keys = word[INDEX_BITS * (most - engine.inputs_per_beat) :]
        values = word[INDEX_BITS * (most - engine.output_lanes) :]
        bits = len(piece.data)
        m.d.comb += piece.address.eq(address.value)
        byte = piece.address[: exact_log2(size)]
        with m.If(full & step.keys):
            m.d.comb += [
                piece.data.eq(keys.replicate(bits // len(keys))),
                piece.strobe.eq(strobes[engine.inputs_per_beat] << byte),
            ]
        with m.Elif(full):
            m.d.comb += [
                piece.data.eq(values.replicate(bits // len(values))),
                piece.strobe.eq(strobes[engine.output_lanes] << byte),
            ]
        with m.Else():
            m.d.comb += [
                piece.data.eq(self.scale.replicate(bits // 16)),
                piece.strobe.eq(0b11 << byte),
            ]
