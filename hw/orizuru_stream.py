"""Streaming Orizuru: a token's outliers, found while its activations come in."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from hw.engine_spec import KEY, EngineSpec
from hw.share import share
from hw.sorted_list import SortedList


class OrizuruStream(wiring.Component):
    """Find the k_top largest and the k_top smallest activations of each token.

    Bit-exact with :func:`golden.outliers.select_outliers`: of equals the lower position comes
    first, on both sides. The paper's Orizuru is a pair of tournament trees over all values; this
    one keeps two sorted lists and holds a beat back only while it still has candidates for them.

    Parameters
    ----------
    spec : EngineSpec
        Lanes, the longest token and the longest lists.

    Ports
    -----
    k_top : In(range(spec.outliers_max + 1))
        Outliers on each side, at most the token's length. Steady while tokens are under way.
    i : In(stream of ``beat``)
        FP16 keys, lane 0 lowest; ``mask`` says which lanes count, ``last`` ends the token.
    o : Out(stream of spec.outlier)
        Per token the k_top largest in descending, then the k_top smallest in ascending order.

    Timing
    ------
    Latency : ``LATENCY`` cycles from the transfer of the last beat to ``o.valid``, when that beat
        has no more than one candidate on each side; one more for each that it has beyond.
    Rate : a beat takes one cycle, or as many as it has candidates on the side with more of
        them; between tokens 2 k_top + 3 cycles in which no beat is taken.
    Through paths : none.
    Reset : drops the token under way.
    """

    LATENCY = 3

    k_top: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        lanes = spec.inputs_per_beat
        keys = data.ArrayLayout(KEY, lanes)
        self.beat = data.StructLayout({"keys": keys, "mask": lanes, "last": 1})
        ports = {
            "k_top": In(range(spec.outliers_max + 1)),
            "i": In(stream.Signature(self.beat)),
            "o": Out(stream.Signature(spec.outlier)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        chunk = Signal(self.beat)
        chunk_valid = Signal()
        chunk_number = Signal(range(self.spec.beats_max))
        sides = self._sides(m, platform, chunk, chunk_valid, chunk_number)

        done = chunk_valid & sides[0].at_most_one & sides[1].at_most_one
        clear = Signal()
        with m.FSM(name="phase"):
            with m.State("FILL"):
                m.d.comb += self.i.ready.eq(~chunk_valid | (done & ~chunk.last))
                with m.If(done):
                    m.d.sync += [chunk_valid.eq(0), chunk_number.eq(chunk_number + 1)]
                    with m.If(chunk.last):
                        m.next = "SETTLE"
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += [chunk_valid.eq(1), chunk.eq(self.i.payload)]
                    m.d.sync += [side.remaining.eq(self.i.payload.mask) for side in sides]
            with m.State("SETTLE"):  # the last candidates are on their way into the lists
                m.next = "DRAIN"
            with m.State("DRAIN"):
                self._drain(m, sides, clear)
                with m.If(clear):
                    m.d.sync += chunk_number.eq(0)
                    m.next = "FILL"
        m.d.comb += [side.entries.clear.eq(clear) for side in sides]
        return m

    def _sides(
        self, m: Module, platform: object, chunk, chunk_valid: Signal, chunk_number: Signal
    ) -> "list[_Side]":
        """Make the two sides; each picks its lowest lane's candidate and inserts it."""
        enabled = self.k_top != 0
        lanes = self.spec.inputs_per_beat
        lane_bits = exact_log2(lanes)
        sides = []
        for name, flip in (("max", 0), ("min", -1)):
            entries = SortedList(self.spec.outliers_max, self.spec.position_bits)
            m.submodules[f"{name}_list"] = share(platform, entries)
            side = _Side(name, entries, lanes)
            # Complementing a key reverses the order: the smallest become the largest.
            keys = [chunk.keys[n] ^ Const(flip, KEY) for n in range(lanes)]
            candidates = Signal(lanes, name=f"{name}_candidates")
            m.d.comb += [
                entries.last.eq(self.k_top - 1),
                candidates.eq(
                    side.remaining
                    & Cat(enabled & (~entries.full | (key > entries.threshold)) for key in keys)
                ),
                side.at_most_one.eq((candidates & (candidates - 1)[: len(candidates)]) == 0),
            ]
            m.d.sync += entries.insert.eq(chunk_valid & candidates.any())
            with m.Switch(candidates):
                for n in range(lanes):
                    with m.Case("-" * (lanes - 1 - n) + "1" + "0" * n):
                        m.d.sync += entries.key.eq(keys[n])
                        m.d.sync += entries.position.eq(Cat(Const(n, lane_bits), chunk_number))
            with m.If(chunk_valid):  # thresholds only rise, so nobody else need come back
                m.d.sync += side.remaining.eq(candidates & (candidates - 1))
            sides.append(side)
        return sides

    def _drain(self, m: Module, sides: "list[_Side]", clear: Signal) -> None:
        """Send the lists' heads: the maxima, then the minima."""
        largest, smallest = (side.entries for side in sides)
        sent = Signal(range(2 * self.spec.outliers_max + 1))
        last_maximum = Signal(largest.entry)
        on_minima = sent >= self.k_top
        key = Mux(on_minima, ~smallest.head.key, largest.head.key)
        position = Mux(on_minima, smallest.head.position, largest.head.position)
        # It stands among the maxima if it comes no later than their last one.
        earlier = (key > last_maximum.key) | (
            (key == last_maximum.key) & (position <= last_maximum.position)
        )
        transfer = self.o.valid & self.o.ready
        m.d.comb += [
            self.o.valid.eq(sent != (self.k_top << 1)),
            self.o.payload.key.eq(key),
            self.o.payload.position.eq(position),
            self.o.payload.repeated.eq(on_minima & earlier),
            largest.pop.eq(transfer & ~on_minima),
            smallest.pop.eq(transfer & on_minima),
            clear.eq(~self.o.valid),
        ]
        with m.If(transfer):
            m.d.sync += sent.eq(sent + 1)
            with m.If(~on_minima):
                m.d.sync += last_maximum.eq(largest.head)
        with m.If(clear):
            m.d.sync += sent.eq(0)


class _Side:
    """Signals of one side: its list, and the chunk's lanes that it has not judged yet."""

    def __init__(self, name: str, entries: SortedList, lanes: int) -> None:
        self.entries = entries
        self.remaining = Signal(lanes, name=f"{name}_remaining")
        self.at_most_one = Signal(name=f"{name}_at_most_one")
