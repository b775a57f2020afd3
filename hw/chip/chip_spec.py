"""Size of a chip, and the layouts that its blocks share."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from amaranth.hdl import Value, unsigned
from amaranth.lib import data
from amaranth.utils import bits_for, exact_log2

from golden.chip.instruction import BYTES, LAYOUT, PITCH_BITS
from golden.chip.rules import POSITIONS, VECTORS_MAX
from golden.chip.shape import ChipShape
from hw.bus.axi import Axi, AxiSpec, Channels
from hw.bus.port_split import Ports
from hw.engine_spec import EngineSpec
from hw.formats import INDEX_BITS, require_power_of_two
from hw.vector.vector_spec import VectorSpec

FP16_BITS = 16
POSITION_BITS = (POSITIONS - 1).bit_length()  # of a token in its context
COUNT_BITS = dict((name, bits) for name, (_, bits) in LAYOUT.items())["count"]
ADDRESS_BITS = 32

INSTRUCTION = data.FlexibleLayout(
    8 * BYTES,
    {name: data.Field(unsigned(bits), low) for name, (low, bits) in LAYOUT.items()},
)
NEXT_ONLY = ("index", "stride", "grows", "whole", "token")  # what a step has no more
# An instruction with its address and its counts as they are at this position.
STEP = data.StructLayout(
    {name: bits for name, (_, bits) in LAYOUT.items() if name not in NEXT_ONLY}
    | {"position": POSITION_BITS}
)
REQUEST = data.StructLayout({"address": ADDRESS_BITS, "words": 21})


@dataclass(frozen=True, kw_only=True)
class ChipSpec:
    """Parameters of a :class:`hw.chip.chip.Chip`.

    Parameters
    ----------
    engine : EngineSpec
        The engine: symmetric, rows made of activations of 8 bits, a factor for each token.
    bus_bits : int
        Of a word of the memory bus: at least 64 and a word of the vector memory, at most the codes
        of a beat.
    vector_words : int
        Words of the vector memory, each of ``engine.inputs_per_beat`` FP16 numbers: a power of
        two.
    vector_lanes : int
        Numbers that the vector unit computes with at a time.
    ports : int
        AXI4 ports that carry a word of the bus together, of 1024 bits at most each.
    gelu : bool
        Whether the vector unit has GELU.
    hang_cycles : int
        Cycles without an answer of the memory after which a run ends: a power of two.
    """

    engine: EngineSpec
    bus_bits: int
    vector_words: int
    vector_lanes: int
    ports: int = 1
    gelu: bool = False
    hang_cycles: int = 1 << 16

    def __post_init__(self) -> None:
        require_power_of_two("ports", self.ports, low=1, high=16)
        require_power_of_two("bus_bits", self.bus_bits, low=64 * self.ports, high=1024 * self.ports)
        require_power_of_two("vector_words", self.vector_words, low=4, high=1 << 16)
        require_power_of_two("hang_cycles", self.hang_cycles, low=16, high=1 << 24)
        require_power_of_two(
            "vector_lanes", self.vector_lanes, low=1, high=self.engine.inputs_per_beat
        )
        engine, numbers = self.engine, self.engine.numbers
        if not (numbers.symmetric and numbers.made):
            raise ValueError("a chip's engine has symmetric codebooks and makes its rows")
        if not (engine.token_factor and engine.wide_channels and engine.loads_ahead):
            raise ValueError(
                "a chip's engine takes factors of tokens, wide channels, and constants ahead"
            )
        if not engine.together:
            raise ValueError("a chip's engine can let several tokens meet a tile together")
        if not engine.snaps:
            raise ValueError("a chip's engine has rows of 4 and 5 bits, too")
        if 2 * FP16_BITS * engine.scale_lanes > self.bus_bits:
            raise ValueError(
                f"bus_bits must hold the scales and biases of {engine.scale_lanes} channels"
            )
        if engine.scale_lanes > engine.inputs_per_beat:
            raise ValueError(
                f"a word of the vector memory, {engine.inputs_per_beat} numbers, must hold the"
                f" {engine.scale_lanes} outputs of a beat"
            )
        if not self.vector_bits <= self.bus_bits <= self.beat_bits:
            raise ValueError(
                f"bus_bits must be from {self.vector_bits}, a word of the vector memory, to"
                f" {self.beat_bits}, the codes of a beat; is {self.bus_bits}"
            )

    @property
    def vector_bits(self) -> int:
        """Bits of a word of the vector memory."""
        return FP16_BITS * self.engine.inputs_per_beat

    @cached_property
    def vectors(self) -> VectorSpec:
        """The vector memory, and the units that work on it."""
        return VectorSpec(
            word_lanes=self.engine.inputs_per_beat,
            lanes=self.vector_lanes,
            words=self.vector_words,
            gelu=self.gelu,
        )

    @property
    def row_bits(self) -> int:
        """Bits of the codes of an input channel in a beat."""
        return INDEX_BITS * self.engine.output_lanes

    @property
    def beat_bits(self) -> int:
        """Bits of the codes of a beat."""
        return self.row_bits * self.engine.inputs_per_beat

    @property
    def bus_bytes(self) -> int:
        """Bytes of a word of the bus."""
        return self.bus_bits // 8

    @property
    def beat_words(self) -> int:
        """Words of the bus that the codes of a beat take."""
        return self.beat_bits // self.bus_bits

    @property
    def axi(self) -> AxiSpec:
        """The bus, as wide as all ports."""
        return AxiSpec(address_bits=ADDRESS_BITS, data_bits=self.bus_bits)

    @property
    def m_axi(self) -> Channels:
        """What the chip shows of it: one bus, or ports."""
        one = self.axi.share(self.ports)
        return Axi(one) if self.ports == 1 else Ports(one, self.ports)

    @cached_property
    def shape(self) -> ChipShape:
        """What a compiler needs to know."""
        return ChipShape(
            inputs_per_beat=self.engine.inputs_per_beat,
            output_lanes=self.engine.output_lanes,
            bus_bytes=self.bus_bytes,
            vector_words=self.vector_words,
            inputs_max=self.engine.inputs_max,
            outputs_max=self.engine.outputs_max,
            outliers_max=self.engine.outliers_max,
            tokens_together=self.engine.tokens_together,
            gelu=self.gelu,
        )

    @property
    def word(self) -> data.StructLayout:
        """A word of the bus as it is read; ``last`` of what was asked for."""
        return data.StructLayout({"data": self.bus_bits, "last": 1})


def loaded_layout(spec: ChipSpec) -> data.StructLayout:
    """Return what the engine holds: a layer's size, and how many channels have scales."""
    engine = spec.engine
    return data.StructLayout(
        {
            "inputs": range(engine.inputs_max + 1),
            "outputs": range(engine.outputs_max + 1),
            "channels": range(engine.outputs_max + 1),
        }
    )


def words_of(size: Value, per_word: int) -> Value:
    """Return how many words so many things take, ``per_word`` of them in each."""
    return (size + per_word - 1) >> exact_log2(per_word)


def vectors_of(step: Any) -> Value:
    """Return of how many vectors a LINEAR step is, as a power of two."""
    return step.b[: bits_for(exact_log2(VECTORS_MAX))]


def pitch_of(step: Any, side: str) -> Value:
    """Return the words from one vector of a LINEAR step to the next; ``side`` is ``a`` or ``d``."""
    return step.extra.word_select("ad".index(side), PITCH_BITS)
