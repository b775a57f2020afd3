"""What an outlier engine must do, as rules: any engine with the shared ports can be proven."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.exact.fp16 import MAX_FINITE
from hw.formats import KEY
from sim.proofs.properties import Properties, keeps, waits

SIDES = ("largest", "smallest")


class OutlierRules(wiring.Component):
    """An outlier engine among free inputs, and what must come out of it.

    Any keys, any lengths from k_top to the longest token, any k_top, any pauses on every stream,
    a reset in any cycle. In one token, whichever is the ``watched`` one, two places are looked
    at, whichever they are; as they may be any two, what holds for them holds for all. What comes
    out of the first was in the token, has its key, and has not come out on this side; and the
    second, if it is still left, does not go before it, by its key or, of equals, its position.
    Outliers are counted: one too many belongs to a token that is not there, and one too few is
    late, as is a beat that is not taken.

    Parameters
    ----------
    engine : wiring.Component
        An outlier engine with the attribute ``spec``, a
        :class:`hw.topk.orizuru.orizuru_spec.OrizuruSpec`, and ``reverse`` if its outliers may leave
        in reverse.
    key_bits : int
        Keys take ``2**key_bits`` values: the extremes of finite numbers, and those about zero.
        Engines only compare keys, so a few are enough; more cost the proof much time.
    patience : int, optional
        Cycles that an outlier of a complete token may take when none is waiting, and a beat when
        no outlier is due. None if that depends on chance: then nothing is late, and one too few
        goes unnoticed if nothing comes after it.

    Ports
    -----
    k_top : In(range(spec.outliers_max + 1))
        As for the engine. Steady until a reset.
    places : In(array of positions)
        The two that are looked at. Steady until a reset.
    watch : In(1)
        With a token's first beat: the token is the watched one, if none is yet.
    i : In(stream of ``beat``)
        As for the engine, but for the keys' width, of which both ends stand for the extremes.
    largest_o : Out(stream of spec.entry)
        As for the engine.
    smallest_o : Out(stream of spec.entry)
        The same.
    """

    k_top: Signal
    places: Any
    watch: Signal
    i: stream.Interface
    properties: Properties

    def __init__(self, engine: Any, *, key_bits: int, patience: int | None) -> None:
        self.engine = engine
        self.spec = engine.spec
        self.reverse = getattr(engine, "reverse", False)
        self.key_bits = key_bits
        self.patience = patience
        lanes = self.spec.values_per_beat
        keys = data.ArrayLayout(signed(key_bits), lanes)
        self.beat = data.StructLayout({"keys": keys, "mask": lanes, "last": 1})
        ports = {
            "k_top": In(range(self.spec.outliers_max + 1)),
            "places": In(data.ArrayLayout(self.spec.position_bits, 2)),
            "watch": In(1),
            "i": In(stream.Signature(self.beat)),
            "largest_o": Out(stream.Signature(self.spec.entry)),
            "smallest_o": Out(stream.Signature(self.spec.entry)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        self.properties = p = Properties(m, platform)
        m.submodules.engine = self.engine
        k_top, places = self.k_top, [self.places[n] for n in range(2)]
        p.assume("k_top_is_steady", keeps(m, k_top, "k_top"))
        p.assume("k_top_is_allowed", k_top <= self.spec.outliers_max)
        p.assume("places_are_steady", keeps(m, Cat(places), "places"))
        p.assume("places_differ", places[0] != places[1])
        self._connect(m)
        beat = self._allow(m, p, k_top)
        begins, watched, keys, there = self._watch(m, beat, places)

        complete = self.i.valid & self.i.ready & self.i.payload.last & (k_top != 0)
        dues = []
        for name in SIDES:
            due, mine, ends = self._count(m, p, name, k_top, complete, begins, watched)
            self._judge(m, p, name, mine, ends, places, keys, there)
            dues.append(due)
        self._hurry(m, p, "beat_is_taken", self.i.valid & ~self.i.ready & ~Cat(dues).any())
        return m

    def _connect(self, m: Module) -> None:
        """Join the ports with the engine's."""
        engine, beat = self.engine, self.i.payload
        m.d.comb += [
            engine.k_top.eq(self.k_top),
            engine.i.valid.eq(self.i.valid),
            engine.i.payload.mask.eq(beat.mask),
            engine.i.payload.last.eq(beat.last),
            self.i.ready.eq(engine.i.ready),
        ]
        for n in range(self.spec.values_per_beat):
            m.d.comb += engine.i.payload.keys[n].eq(_spread(beat.keys[n]))
        for name in SIDES:
            wiring.connect(m, getattr(engine, f"{name}_o"), wiring.flipped(self._side(name)))

    def _side(self, name: str) -> stream.Interface:
        return getattr(self, f"{name}_o")

    def _allow(self, m: Module, p: Properties, k_top: Value) -> Signal:
        """Hold the tokens to what is allowed; return the beat's number."""
        spec, lanes, payload = self.spec, self.spec.values_per_beat, self.i.payload
        mask = payload.mask
        _, still = waits(m, self.i, "i")
        beat = Signal(range(max(spec.beats_max, 2)))
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += beat.eq(Mux(payload.last, 0, beat + 1))
        at_end = beat == spec.beats_max - 1
        room = spec.inputs_max - (spec.beats_max - 1) * lanes  # lanes in the longest token's last
        length = beat * lanes + sum(mask[n] for n in range(lanes))
        p.assume("i_holds_still", still)
        p.assume("lanes_count_from_0", mask[0] & ((mask & (mask + 1)) == 0))
        p.assume("only_last_beats_are_short", payload.last | mask.all())
        p.assume("token_is_not_too_long", ~at_end | (payload.last & ((mask >> room) == 0)))
        p.assume("token_has_k_top", ~payload.last | (length >= k_top))
        return beat

    def _watch(self, m: Module, beat: Signal, places: list[Value]) -> tuple:
        """Note two places of one token; return its begin, whether it was, keys, who is there."""
        lanes, payload = self.spec.values_per_beat, self.i.payload
        taken = self.i.valid & self.i.ready
        watched, inside, begins = Signal(), Signal(), Signal()
        m.d.comb += begins.eq(taken & (beat == 0) & self.watch & ~watched)
        m.d.sync += watched.eq(watched | begins)
        with m.If(taken):
            m.d.sync += inside.eq((inside | begins) & ~payload.last)
        keys = [Signal(KEY, name=f"key{n}") for n in range(2)]
        there = Signal(2)
        for n, place in enumerate(places):
            for lane in range(lanes):
                here = payload.mask[lane] & (place == beat * lanes + lane)
                with m.If(taken & (inside | begins) & here):
                    m.d.sync += [keys[n].eq(_spread(payload.keys[lane])), there[n].eq(1)]
        return begins, watched, keys, there

    def _count(
        self, m: Module, p: Properties, name: str, k_top, complete, begins, watched
    ) -> tuple[Value, Value, Value]:
        """Return if an outlier is due, if it is the watched token's, if a token's last passes."""
        s = self._side(name)
        passes = s.valid & s.ready
        number = Signal(range(self.spec.outliers_max + 1), name=f"{name}_number")
        tokens = Signal(2, name=f"{name}_tokens")  # complete, but not all out
        ahead = Signal(2, name=f"{name}_ahead")  # of these, before the watched one
        over = Signal(name=f"{name}_over")  # the watched one is
        ends = passes & (number + 1 == k_top)
        due = tokens != 0
        with m.If(passes):
            m.d.sync += number.eq(Mux(ends, 0, number + 1))
        m.d.sync += tokens.eq(tokens + complete - ends)
        with m.If(begins):
            m.d.sync += ahead.eq(tokens - ends)
        with m.Elif(watched & ends):
            m.d.sync += [ahead.eq(Mux(ahead == 0, 0, ahead - 1)), over.eq(over | (ahead == 0))]

        waited, still = waits(m, s, name)
        p.rule(f"{name}_holds_still", still)
        p.rule(f"{name}_is_due", ~s.valid | due)
        p.rule(f"{name}_has_three_tokens_at_most", (tokens != 3) | ~complete)
        self._hurry(m, p, f"{name}_comes", due & ~s.valid)
        p.reach(f"{name}_waits_and_passes", waited & passes)
        p.reach(f"{name}_of_two_tokens_are_out", over & ends)
        return due, s.valid & watched & (ahead == 0) & ~over, ends

    def _judge(
        self, m: Module, p: Properties, name: str, mine, ends, places: list, keys: list, there
    ) -> None:
        """Demand that what comes out is the first of what is left; in reverse, the last."""
        s = self._side(name)
        gone = Signal(2, name=f"{name}_gone")
        now = [mine & (s.payload.position == place) for place in places]
        with m.If(s.ready):
            m.d.sync += gone.eq(gone | Cat(now))
        stays = there[1] & ~gone[1] & ~now[1]
        # Where the first place must go before the second. In reverse, what comes later goes before
        # what is out, and the last one tells what stays behind.
        left = mine & ends & (gone[0] | now[0]) & stays if self.reverse else now[0] & stays
        goes_before = now[0] & gone[1] | left if self.reverse else left
        further = keys[1] > keys[0] if name == "largest" else keys[1] < keys[0]
        tied = keys[1] == keys[0]
        p.rule(f"{name}_was_there", ~now[0] | there[0])
        p.rule(f"{name}_comes_once", ~now[0] | ~gone[0])
        p.rule(f"{name}_has_its_key", ~now[0] | (s.payload.key == keys[0]))
        p.rule(f"{name}_is_furthest_of_what_is_left", ~(goes_before & further))
        p.rule(f"{name}_ties_by_position", ~(goes_before & tied) | (places[0] < places[1]))
        if self.spec.outliers_max > 1:
            p.reach(f"{name}_tie_comes_out", now[0] & gone[1] & tied)
        p.reach(f"{name}_tie_stays_behind", left & tied)

    def _hurry(self, m: Module, p: Properties, name: str, late: Value) -> None:
        """Demand that what is waited for comes in time."""
        if self.patience is None:
            return
        since = Signal(range(self.patience + 2), name=f"{name}_since")
        m.d.sync += since.eq(Mux(late, since + 1, 0))
        p.rule(f"{name}_in_time", since <= self.patience)


def _spread(key: Value) -> Value:
    """Return a key of 16 bits for one of few: in the same order, with both extremes."""
    most = (1 << (len(key) - 1)) - 1
    return Mux(key == most, MAX_FINITE, Mux(key == -most - 1, -MAX_FINITE, key))
