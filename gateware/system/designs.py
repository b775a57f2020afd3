"""Designs that are compared as whole chips: what they keep of a weight, and their exact cycles.

All take the bandwidth that feeds the paper's engine, 8192 weights of 4 bits a cycle: one whose
weights have more bits has as many products a cycle fewer. Cycles are those of the engines'
contracts, which simulation is held to (``kllm cycles --check``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from gateware.density_points import counter_spec
from gateware.engines.contract import Contract
from gateware.engines.cycles import Cycles
from gateware.engines.kinds import engine
from gateware.sizes import sized
from golden.base.names import lookup
from golden.exact.mac import GROUP
from golden.exact.spec import default_numbers
from hw.baseline.mac_spec import MacSpec
from hw.engine_spec import EngineSpec

INPUTS_MOST = 1 << 14  # of a lookup engine: longer layers run in parts
SCALE_BITS = 16
CHANNEL_BITS = 2 * SCALE_BITS  # scale and bias of an output channel
CLOCK = 500e6  # the paper's


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A design as a whole chip.

    Parameters
    ----------
    name : str
    energy : str
        Row of the kept energies that has its multiply-accumulate.
    products : int
        Multiply-accumulates a cycle.
    weight_bits, cache_bits : callable
        Bits of a weight, by the inputs of its layer; of a cached number, by the width of a head.
        Scales are in.
    interval : callable
        Cycles of a layer, by inputs, outputs and outliers on each side, when tokens follow each
        other.
    alone : callable or None
        What a token alone takes, by stage; None where there is no whole engine.
    head_codes : int
        Codes of a weight of the output head.
    engines : int
        How many work side by side: on their shares of a layer's outputs, or on heads of their own.
    spread_lanes : int
        Output lanes of an engine that turns queries and keys by a Hadamard matrix; 0 of others.
    """

    name: str
    energy: str
    products: int
    weight_bits: Callable[[int], float]
    cache_bits: Callable[[int], float]
    interval: Callable[[int, int, int], int]
    alone: Callable[[int, int, int], Cycles] | None = None
    head_codes: int = 1
    engines: int = 1
    spread_lanes: int = 0

    def span(self, inputs: int, outputs: int, k_top: int) -> int:
        """Return the cycles of a layer on one of the engines, in parts if it is long."""
        parts, length, share = _parts(inputs, k_top)
        return parts * self.interval(length, outputs, share)

    def wait(self, inputs: int, outputs: int, k_top: int) -> int:
        """Return by how much longer a token alone takes: what fills and empties the stages."""
        assert self.alone
        parts, length, share = _parts(inputs, k_top)
        one = self.alone(length, outputs, share)
        return parts * (one.latency - one.main)


def _parts(inputs: int, k_top: int) -> tuple[int, int, int]:
    """Return how many parts a layer runs in, the inputs of one, and its outliers on each side."""
    parts = -(-inputs // INPUTS_MOST)
    return parts, -(-inputs // parts), -(-k_top // parts)


@cache
def _lookup(bits: int, inputs: int, lanes: int) -> Contract[EngineSpec]:
    numbers = default_numbers(symmetric=True, activation_bits=bits)
    size = sized(inputs, lanes, INPUTS_MOST, INPUTS_MOST, 1024, lanes // 4, token_factor=True)
    return engine(EngineSpec(numbers=numbers, **size))


def _engine_chip(name: str, energy: str, contract: Contract[Any], **others: Any) -> Chip:
    """Return a chip of engines whose contract is known."""
    engines = others.get("engines", 1)
    return Chip(
        name=name,
        energy=energy,
        products=contract.multiply_accumulates * engines,
        weight_bits=lambda inputs: 4 + CHANNEL_BITS / inputs,
        cache_bits=lambda width: 4 + SCALE_BITS / width,
        interval=cache(lambda i, o, k: contract.cycles(i, o, k).interval),
        alone=cache(lambda i, o, k: contract.cycles(i, o, k)),
        **others,
    )


def _array_chip(name: str, energy: str, lanes: int, engines: int, **bits: Any) -> Chip:
    """Return a chip of baseline arrays, 16 input lanes each, with all else for nothing."""
    spec = MacSpec(arithmetic=name, inputs_per_beat=16, output_lanes=lanes, inputs_max=INPUTS_MOST)
    return Chip(
        name=name,
        energy=energy,
        products=16 * lanes * engines,
        interval=cache(lambda i, o, _: spec.cycles(i, o)),
        engines=engines,
        **bits,
    )


@cache
def lookup_chip(name: str, bits: int, inputs: int, lanes: int, engines: int) -> Chip:
    """Return a chip of lookup engines.

    Parameters
    ----------
    name : str
    bits : int
        Of an activation: 4, 5 or 8.
    inputs, lanes, engines : int
        Input and output lanes of an engine, and how many there are.
    """
    energy = "lookup" if bits == 4 else f"lookup A{bits}"
    contract = _lookup(bits, inputs, lanes)
    return _engine_chip(name, energy, contract, engines=engines, head_codes=2, spread_lanes=lanes)


@cache
def chips(bits_a: int = 8) -> dict[str, Chip]:
    """Return the designs by name; ``bits_a`` of an activation in the lookup engine."""
    found = (
        lookup_chip("lookup", bits_a, 64, 128, 1),
        lookup_chip("lookup x4", bits_a, 32, 64, 4),
        _engine_chip("counter", "counter", engine(counter_spec())),
        # Groups have a scale of 16 bits; a cached vector a zero point, too.
        _array_chip(
            "int4",
            "int4 with scales",
            *(256, 2),
            weight_bits=lambda _: 4 + SCALE_BITS / GROUP,
            cache_bits=lambda width: 4 + 2 * SCALE_BITS / width,
        ),
        _array_chip(
            "int8",
            "int8",
            *(256, 1),
            weight_bits=lambda inputs: 8 + SCALE_BITS / inputs,
            cache_bits=lambda width: 8 + SCALE_BITS / width,
        ),
        _array_chip(
            "fp16", "fp16", *(128, 1), weight_bits=lambda _: 16.0, cache_bits=lambda _: 16.0
        ),
    )
    return {chip.name: chip for chip in found}


def chip(name: str, bits_a: int = 8) -> Chip:
    """Return a design of :func:`chips`.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    return lookup("design", name, chips(bits_a), "kllm cycles --help")
