"""Sorted list of the largest keys seen: one insertion per cycle."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.engine_spec import KEY


class SortedList(wiring.Component):
    """Keep the k_top largest keys in descending order, and send them with their positions.

    Of equal keys the one inserted first stays ahead. Registers hold the keys and say where in a
    small memory the rest of each entry is: a new entry takes the place of the one that falls off
    the end.

    Parameters
    ----------
    entries : int
        Keys kept at most.
    position_bits : int
        Bits of a position.

    Ports
    -----
    k_top : In(range(entries + 1))
        Keys to keep. Steady between clearings.
    insert : In(1)
        Inserts ``key`` and ``position`` where they belong. Not while draining.
    key : In(signed(16))
        FP16 key.
    position : In(position_bits)
        Where the key stood.
    full : Out(1)
        Whether k_top keys are there.
    threshold : Out(signed(16))
        The least of them: a key that does not exceed it need not be inserted.
    drain : In(1)
        Sends the entries that are there; then ``drained`` rises. Stays high until ``clear``.
    drained : Out(1)
        Whether all have been sent.
    clear : In(1)
        Empties the list.
    o : Out(stream of ``entry``)
        Keys and positions, the largest key first.

    Timing
    ------
    Latency : ``LATENCY`` cycle from an insertion to ``threshold``, and from
        ``drain`` to ``o.valid``.
    Rate : one insertion per cycle; one entry sent per cycle while ``o.ready`` is high.
    Through paths : none.
    Reset : empties the list.
    """

    LATENCY = 1

    k_top: Signal
    insert: Signal
    key: Signal
    position: Signal
    full: Signal
    threshold: Signal
    drain: Signal
    drained: Signal
    clear: Signal
    o: stream.Interface

    def __init__(self, entries: int, position_bits: int) -> None:
        self.entries = entries
        self.position_bits = position_bits
        self.entry = data.StructLayout({"key": KEY, "position": position_bits})
        ports = {
            "k_top": In(range(entries + 1)),
            "insert": In(1),
            "key": In(KEY),
            "position": In(position_bits),
            "full": Out(1),
            "threshold": Out(KEY),
            "drain": In(1),
            "drained": Out(1),
            "clear": In(1),
            "o": Out(stream.Signature(self.entry)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        count, places = self.entries, range(max(self.entries, 2))
        keys = [Signal(KEY, name=f"key{n}", reset_less=True) for n in range(count)]
        # A permutation, whatever is inserted.
        wheres = [Signal(places, name=f"where{n}", init=n) for n in range(count)]
        held = Signal(count)
        # The last k_top registers are in use, so the threshold is always in the last one.
        first = Signal(range(count + 1))
        m.d.comb += first.eq(count - self.k_top)

        # As the list is sorted, this is a thermometer: the new key goes before entry n.
        before = Signal(count)
        for n in range(count):
            used = Signal(name=f"used{n}")
            m.d.comb += [
                used.eq(first <= n),
                before[n].eq(self.insert & used & (~held[n] | (self.key > keys[n]))),
            ]
            with m.If(before[n]):
                ahead = before[n - 1] if n else 0
                m.d.sync += [
                    keys[n].eq(Mux(ahead, keys[n - 1], self.key)),
                    wheres[n].eq(Mux(ahead, wheres[n - 1], wheres[-1])),
                    held[n].eq(held[n - 1] | ~ahead if n else 1),
                ]
        with m.If(self.clear):
            m.d.sync += held.eq(0)
        m.d.comb += [self.full.eq(held[-1]), self.threshold.eq(keys[-1])]
        self._send(m, first, wheres, held, before[-1])
        return m

    def _send(
        self, m: Module, first: Signal, wheres: list[Signal], held: Signal, inserted: Value
    ) -> None:
        """Keep the entries in a memory, and send them in the order of the registers."""
        m.submodules.memory = memory = Memory(
            shape=self.entry, depth=1 << ceil_log2(max(self.entries, 2)), init=[]
        )
        write, read = memory.write_port(), memory.read_port()
        number = Signal(range(self.entries + 1))
        more = Signal()
        advance = ~self.o.valid | self.o.ready
        m.d.comb += [
            write.addr.eq(wheres[-1]),
            write.data.eq(Cat(self.key, self.position)),
            write.en.eq(inserted),
            more.eq(Cat(held, 0).bit_select(number, 1)),
            read.addr.eq(Array(wheres)[number]),
            read.en.eq(advance),
            self.o.payload.eq(read.data),
            self.drained.eq(self.drain & ~more & ~self.o.valid),
        ]
        with m.If(~self.drain):
            m.d.sync += number.eq(first)
        with m.Elif(advance):
            m.d.sync += [self.o.valid.eq(more), number.eq(number + more)]
