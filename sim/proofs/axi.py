"""Rules of AXI buses: what holds still, and what readers and writers may ask of memory."""

from itertools import pairwise
from typing import Any, NamedTuple, cast

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.exact.bursts import PAGE
from hw.bus.axi import channels
from sim.proofs.properties import Properties, waits

COUNT_BITS = 4
MANY = 14  # more words than a proof's requests have: further ones only cost time


class Channel(NamedTuple):
    """A channel of a bus as a stream."""

    valid: Value
    ready: Value
    payload: Value


def channel(bus: Any, name: str) -> Channel:
    """Return a channel of a bus by its name; bytes that are not written are no part of it."""
    parts = {part[len(name) :]: getattr(bus, part) for part in channels(bus.signature)[name]}
    valid, ready = parts.pop("valid"), parts.pop("ready")
    if "strb" in parts:
        parts["data"] &= Cat(strobe.replicate(8) for strobe in parts["strb"])
    return Channel(valid, ready, Cat(parts.values()))


def add_rules(m: Module, p: Properties, name: str, bus: Any) -> dict[str, Signal]:
    """Demand that what a component sends on a bus holds still, and answers what was asked.

    Of what it gets that is assumed. Returns how much is not answered yet: bursts by their ``ar``
    or ``aw``, and those that are complete by ``w``.
    """
    members = bus.signature.members
    ports = {one: channel(bus, one) for one in channels(bus.signature)}
    sends = {one: members[f"{one}valid"].flow == Out for one in ports}
    for one, port in ports.items():
        _, still = waits(m, cast(Any, port), f"{name}_{one}")
        (p.rule if sends[one] else p.assume)(f"{name}_{one}_holds_still", still)
        if sends[one]:
            p.reach(f"{name}_{one}_is_sent", port.valid & port.ready)
    counts = {}
    for asks, answers in (("ar", "r"), ("aw", "b"), ("w", "b")):
        if asks not in ports:
            continue
        passes = []
        for one in (asks, answers):
            last = getattr(bus, f"{one}last", 1)
            passes.append(ports[one].valid & ports[one].ready & last)
        counts[asks] = count = Signal(COUNT_BITS, name=f"{name}_{asks}_count")
        m.d.sync += count.eq(count + passes[0] - passes[1])
        say = p.rule if sends[answers] else p.assume
        say(f"{name}_{asks}_is_asked_before", (count != 0) | ~ports[answers].valid)
        p.rule(f"{name}_{asks}_are_few", ~count.all())
    return counts


def _moves(bus: Any) -> Value:
    """Return whether there is a transfer on any channel."""
    ports = [channel(bus, one) for one in channels(bus.signature)]
    return Cat(port.valid & port.ready for port in ports).any()


class AxiRules(wiring.Component):
    """A reader or writer, all that it meets being free, and what it may ask of memory.

    Any requests, any pauses, any answers to what was asked, a stop that stays until all is idle,
    and a reset in any cycle.
    What it asks for is exactly what was requested, word by word from its address on; no burst
    crosses a page; no more bursts are under way than may be; a writer's bursts have as many words
    as their addresses say; and what is idle awaits no answer.

    Parameters
    ----------
    block : wiring.Component
        An :class:`hw.bus.axi_reader.AxiReader` or :class:`hw.bus.axi_writer.AxiWriter`. Its ports
        become ports of this one.
    patience : int, optional
        Memory, and its own user, let it wait for fewer cycles than that. Then there is a transfer
        on the bus in any ``2 * patience - 1`` cycles until it is idle, for a word waits for both
        of them. A writer may take one cycle more: a stop makes it wait no longer for its user.
    """

    properties: Properties

    def __init__(self, block: Any, patience: int | None = None) -> None:
        self.block, self.spec, self.patience = block, block.spec, patience
        self.reads = "araddr" in block.m_axi.signature.members
        super().__init__(block.signature)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        self.properties = p = Properties(m, platform)
        m.submodules.block = block = self.block
        ours, theirs = (one.signature.flatten(one) for one in (self, block))
        for (_, member, outer), (_, _, inner) in zip(ours, theirs, strict=True):
            a, b = Value.cast(outer), Value.cast(inner)
            m.d.comb += b.eq(a) if member.flow == In else a.eq(b)
        for name, member in self.signature.members.items():
            if member.is_signature and isinstance(member.signature, stream.Signature):
                if member.flow == In:
                    p.assume(f"{name}_holds_still", waits(m, getattr(self, name), name)[1])
        kind = "ar" if self.reads else "aw"
        counts = add_rules(m, p, "m_axi", block.m_axi)
        under_way, due = counts[kind], self._ask(m, p, kind)
        bursts = Const(0) if self.reads else self._write(m, p)
        if self.patience:
            self._move(m, p, counts, bursts, self.patience)
        p.rule("has_few_under_way", under_way <= self.spec.outstanding)
        p.rule("is_idle_without_any", ~block.idle | ((under_way == 0) & (due == 0)))
        p.reach("has_many_under_way", under_way == self.spec.outstanding)
        stopped, stays = Signal(), Signal()
        m.d.sync += stays.eq(block.stop & ~block.idle)
        p.assume("stop_stays_until_idle", block.stop | ~stays)
        m.d.sync += stopped.eq(block.stop & (stopped | (under_way > 1)))
        p.reach("becomes_idle_after_a_stop", stopped & block.idle)
        return m

    def _move(
        self, m: Module, p: Properties, counts: dict[str, Signal], bursts: Value, patience: int
    ) -> None:
        """Demand that something moves on the bus if nobody is late.

        ``counts`` are not answered; ``bursts`` of a writer want words.
        """
        block, bus = self.block, self.block.m_axi
        if self.reads:
            waits_for = {
                "takes_addresses": bus.arvalid & ~bus.arready,
                "gives_words": (counts["ar"] != 0) & ~bus.rvalid,
                "takes_words": block.o.valid & ~block.o.ready,
            }
        else:
            waits_for = {
                "takes_addresses": bus.awvalid & ~bus.awready,
                "takes_words": bus.wvalid & ~bus.wready,
                "gives_words": (bursts != 0) & ~block.word_i.valid & ~block.stop,
                "answers": (counts["aw"] != 0) & (counts["w"] != 0) & ~bus.bvalid,
            }
        for name, late in (waits_for | {"moves": ~block.idle & ~_moves(bus)}).items():
            cycles = Signal(range(2 * patience + 2), name=f"{name}_cycles")
            m.d.sync += cycles.eq(Mux(late, cycles + 1, 0))
            if name != "moves":
                p.assume(f"{name}_in_time", ~late | (cycles < patience - 1))
                continue
            most = 2 * (patience - 1) + (not self.reads)
            p.rule("moves_in_time", ~late | (cycles < most))
            p.reach("moves_in_the_last_moment", ~late & (cycles == most))

    def _ask(self, m: Module, p: Properties, kind: str) -> Value:
        """Compare bursts with requests; return how many words are still due."""
        block, spec = self.block, self.spec
        request = block.i if self.reads else block.request_i
        words = request.payload.words
        p.assume("wants_some_words", (words != 0) & (words < MANY))
        address, beats_less_1 = (getattr(block.m_axi, kind + part) for part in ("addr", "len"))
        offer = channel(block.m_axi, kind)
        due, place = Signal(range(2 * MANY)), Signal(spec.address_bits - spec.size)
        taken, asks = request.valid & request.ready, offer.valid & offer.ready
        beats = Mux(asks, beats_less_1 + 1, 0)
        with m.If(taken):
            m.d.sync += [due.eq(words), place.eq(request.payload.address[spec.size :])]
        with m.Elif(block.stop & ~(offer.valid & ~offer.ready)):
            m.d.sync += due.eq(0)  # given up
        with m.Else():
            m.d.sync += [due.eq(due - beats), place.eq(place + beats)]
        p.rule("asks_for_all_first", ~taken | (due == beats))
        p.rule("asks_for_no_more", ~offer.valid | (beats_less_1 < due))
        p.rule("asks_in_order", ~offer.valid | (address == place << spec.size))
        end = (address % PAGE) + ((beats_less_1 + 1) << spec.size)
        p.rule("crosses_no_page", ~offer.valid | (end <= PAGE))
        p.rule("bursts_are_short", ~offer.valid | (beats_less_1 < spec.burst_max))
        p.reach("asks_again", taken & asks)
        p.reach("ends_at_a_page", asks & (end == PAGE) & (due > beats))
        return due

    def _write(self, m: Module, p: Properties) -> Value:
        """Compare a burst's words with its length; return how many bursts want words."""
        block, bus = self.block, self.block.m_axi
        waited, beat = Signal(), Signal(8)
        lengths = [Signal(8, name=f"length{n}") for n in range(3)]  # the oldest first
        known = Signal(range(4))  # of these
        offers = bus.awvalid & ~waited
        passes = bus.wvalid & bus.wready
        ends = passes & bus.wlast
        m.d.sync += [
            waited.eq(bus.awvalid & ~bus.awready),
            beat.eq(Mux(ends, 0, beat + passes)),
            known.eq(known + offers - ends),
        ]
        with m.If(ends):
            m.d.sync += [a.eq(b) for a, b in pairwise(lengths)]
        with m.If(offers):
            with m.Switch(known - ends):
                for n, length in enumerate(lengths):
                    with m.Case(n):
                        m.d.sync += length.eq(bus.awlen)
        p.rule("has_words_of_bursts", ~bus.wvalid | (known != 0))
        p.rule("addresses_are_one_ahead", known + offers <= 2)
        p.rule("ends_with_the_burst", ~bus.wvalid | (bus.wlast == (beat == lengths[0])))
        word = block.word_i
        p.rule("takes_what_it_writes", ~(word.valid & word.ready) | passes)
        p.rule("makes_up_no_bytes", ~bus.wvalid | word.valid | (bus.wstrb == 0))
        p.reach("words_come_before_the_address", passes & bus.awvalid & ~bus.awready)
        return known
