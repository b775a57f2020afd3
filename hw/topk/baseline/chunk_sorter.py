"""Sorting network for the keys of a beat."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.formats import KEY, require_power_of_two
from hw.stream.component import Component, In, Out

LAYERS_PER_CYCLE = 2


class Layer(NamedTuple):
    """Pairs of lanes that are compared at once; they help to merge sorted runs in pairs."""

    run: int
    first: bool
    pairs: list[tuple[int, int]]


def merge_sort(lanes: int) -> list[Layer]:
    """Return Batcher's odd-even merge sort. Of each pair the lower lane takes the larger key."""
    network = []
    run = 1
    while run < lanes:
        step = run
        while step:
            pairs = [
                (low, low + step)
                for start in range(step % run, lanes - step, 2 * step)
                for low in range(start, min(start + step, lanes - step))
                if low // (2 * run) == (low + step) // (2 * run)
            ]
            network.append(Layer(run, step == run, pairs))
            step //= 2
        run *= 2
    return network


def sorter_latency(lanes: int) -> int:
    """Return the cycles that sorting takes."""
    return -(-len(merge_sort(lanes)) // LAYERS_PER_CYCLE)


def _shift(key: Value) -> Value:
    """Move keys up by half their range, which keeps their order and makes them unsigned."""
    return Cat(key[:-1], ~key[-1])


class ChunkSorter(Component):
    """Sort keys in descending order, and say in which lane each was.

    Equal keys stand in one order for a list of the largest and in the other for a list of the
    smallest: keys are sorted once, the lanes' numbers for both. The network is Batcher's odd-even
    merge sort, 63 comparisons for 16 lanes; his bitonic one has the same depth and takes 80.

    Parameters
    ----------
    lanes : int
        Keys, a power of two.

    Timing
    ------
    Latency : ``latency`` cycles, one for every two layers of the network.
    Rate : ``lanes`` keys per cycle.
    Through paths : ``keys`` to ``o`` with a single lane, where there is nothing to sort.
    Reset : nothing to reset: what comes out follows what came in.
    """

    keys = In(lambda c: data.ArrayLayout(KEY, c.lanes))
    """By lane."""
    o = Out(lambda c: data.ArrayLayout(c.entry, c.lanes))
    """In descending order of ``key``. Of equal keys, ``rising`` has the lower lane first and
    ``falling`` the higher one.
    """

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        require_power_of_two("lanes", lanes, low=1, high=256)
        self.latency = sorter_latency(lanes)
        number = exact_log2(lanes)
        self.entry = data.StructLayout({"key": KEY, "rising": number, "falling": number})
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        network = merge_sort(self.lanes)
        planes: list[list[Value]] = [[_shift(self.keys[lane]) for lane in range(self.lanes)]]
        for _ in ("rising", "falling"):
            planes.append([Const(0, 0)] * self.lanes)
        for depth, layer in enumerate(network):
            if layer.first:
                # Lanes are numbered within their runs: these become twice as long.
                upper = [Const(bool(lane & layer.run), 1) for lane in range(self.lanes)]
                for plane in planes[1:]:
                    plane[:] = [Cat(*parts) for parts in zip(plane, upper, strict=True)]
            held = depth % LAYERS_PER_CYCLE == LAYERS_PER_CYCLE - 1 or depth == len(network) - 1
            self._swap(m, layer, f"s{depth}", planes)
            planes = [self._keep(m, f"s{depth}_{n}", plane, held) for n, plane in enumerate(planes)]
        for lane, (key, rising, falling) in enumerate(zip(*planes, strict=True)):
            m.d.comb += self.o[lane].eq(Cat(_shift(key), rising, falling))

    @staticmethod
    def _swap(m: Module, layer: Layer, name: str, planes: list[list[Value]]) -> None:
        """Order the pairs of a layer: keys, and the two numbers that go with each."""
        keys, rising, falling = planes
        for low, high in layer.pairs:
            swaps = Signal(2, name=f"{name}_swap{low}")
            m.d.comb += swaps.eq(
                Cat(
                    Cat(~rising[high], keys[high]) > Cat(~rising[low], keys[low]),
                    Cat(falling[high], keys[high]) > Cat(falling[low], keys[low]),
                )
            )
            # For the keys either will do.
            for plane, swap in zip(planes, (swaps[0], *swaps), strict=True):
                a, b = plane[low], plane[high]
                plane[low], plane[high] = Mux(swap, b, a), Mux(swap, a, b)

    @staticmethod
    def _keep(m: Module, name: str, values: list[Value], held: bool) -> list[Value]:
        """Name values, and put them in registers where a stage ends."""
        kept: list[Value] = []
        for lane, value in enumerate(values):
            signal = Signal(len(value), name=f"{name}_{lane}", reset_less=True)
            if held:
                m.d.sync += signal.eq(value)
            else:
                m.d.comb += signal.eq(value)
            kept.append(signal)
        return kept
