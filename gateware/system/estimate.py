"""Time and energy of a model on a chip: what it computes, and what memory carries."""

from dataclasses import asdict, dataclass
from typing import Any

from gateware.system.designs import CLOCK, Chip
from gateware.system.energies import array_pj
from golden.base.errors import InputError
from golden.chip.rules import VECTORS_MAX
from golden.exact.cycles import outliers_of
from golden.system.memories import SRAM_PJ_PER_BIT, SRAM_READ_PJ, Memory
from golden.system.shapes import ModelShape

SHARED_MOST = 16  # tokens that a tile of weights can be kept for
CONTEXT_MOST = 1 << 17
# Outliers on each side where a head is spread, in its scores and in its mix, as the chip has them.
SPREAD_OUTLIERS, SCORE_OUTLIERS, MIX_OUTLIERS = 2, 1, 4
# Cells of the array are measured. Wires are supposed to take as much again, and all else on the
# chip, which is smaller than the array, no more than the array.
CHIP_OVER_ARRAY = 3.0
PICO = 1e-12


@dataclass(frozen=True, kw_only=True)
class Phase:
    """What a chip is to do.

    Parameters
    ----------
    context : int
        Tokens before: those of the prompt, if that is what is read.
    batch : int
        Texts side by side, 1 to 16.
    prefill : bool
        Whether a prompt is read; otherwise a token is generated for each text.
    """

    context: int = 1024
    batch: int = 1
    prefill: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.context <= CONTEXT_MOST:
            raise InputError(f"--context must be from 1 to {CONTEXT_MOST}, got {self.context}")
        if not 1 <= self.batch <= SHARED_MOST:
            raise InputError(f"--batch must be from 1 to {SHARED_MOST}, got {self.batch}")

    @property
    def name(self) -> str:
        """What a table calls it."""
        if self.prefill:
            return f"prompt of {self.context}"
        return f"decode, batch {self.batch}, context {self.context}"

    @property
    def tokens(self) -> int:
        """How many are worked on."""
        return self.context * self.batch if self.prefill else self.batch


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What came of it.

    Parameters
    ----------
    model, design, memory, phase : str
    linear_cycles, attention_cycles : int
        Of the engine, all tokens together.
    memory_cycles : float
        What memory takes for the bytes, in cycles of the chip.
    bytes : float
        Weights, keys and values that memory carries.
    products : int
        Multiply-accumulates of all tokens.
    tokens : int
        How many there are.
    tokens_per_second : float
        Where the stages of the engine never wait for each other, nor for vectors.
    one_by_one : float or None
        The same where each layer waits for the one before, as the chip runs programs; None where
        there is no whole engine, or several tokens.
    bound : str
        What linear layers wait for: ``memory`` or ``array``.
    array_mj, sram_mj, dram_mj : float
        Energy of a token.
    """

    model: str
    design: str
    memory: str
    phase: str
    linear_cycles: int
    attention_cycles: int
    memory_cycles: float
    bytes: float
    products: int
    tokens: int
    tokens_per_second: float
    one_by_one: float | None
    bound: str
    array_mj: float
    sram_mj: float
    dram_mj: float

    @property
    def products_per_token(self) -> float:
        """Multiply-accumulates of a token."""
        return self.products / self.tokens

    @property
    def chip_mj(self) -> float:
        """Energy of a token in the chip alone."""
        return self.array_mj + self.sram_mj

    @property
    def whole_mj(self) -> float:
        """Energy of a token with the memory outside."""
        return self.chip_mj + self.dram_mj

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self) | {"chip_mj": self.chip_mj, "whole_mj": self.whole_mj}


def estimate(
    model: ModelShape,
    chip: Chip,
    memory: Memory,
    phase: Phase,
    *,
    outliers: float = 1.0,
    clock: float = CLOCK,
) -> Estimate:
    """Return time and energy of a phase.

    Parameters
    ----------
    model : ModelShape
    chip : Chip
    memory : Memory
    phase : Phase
    outliers : float
        Percent of a token's activations, both sides together.
    clock : float
        Of the chip, in Hz.
    """
    tokens, groups = phase.tokens, -(-phase.tokens // SHARED_MOST)
    linear = weights = bits = products = waits = 0
    for one in model.linears():
        codes = chip.head_codes if one.head else 1
        # Of a prompt only the last token is asked for what comes next.
        times = (phase.batch if one.head else tokens) * one.count * codes
        k_top = outliers_of(one.inputs, outliers) // 2
        linear += times * chip.span(one.inputs, -(-one.outputs // chip.engines), k_top)
        products += times * one.inputs * one.outputs
        loads = (1 if one.head else groups) * one.count * codes
        bits += loads * one.inputs * one.outputs * chip.weight_bits(one.inputs)
        weights += one.count * codes * one.inputs * one.outputs * chip.weight_bits(one.inputs)
        if chip.alone:
            waits += (
                one.count * codes * chip.wait(one.inputs, -(-one.outputs // chip.engines), k_top)
            )
    attention, attended, cached_bits = _attention(model, chip, phase)
    products += attended
    # Weights and cache are not fetched at the same time: buffers hold some tiles, no layer.
    per_bit = clock / 8 / memory.streamed
    both = (linear, bits * per_bit), (attention, cached_bits * per_bit)
    taken = sum(map(max, both))
    one_by_one = None
    if chip.alone and tokens == 1:
        heads = 2 * _turns(model, chip)[0] * _head_wait(model, chip, phase)
        waits += model.layers * (heads + _spread_wait(model, chip))
        # Programs of today fetch keys and values anew for each head of queries.
        anew = cached_bits * model.heads / model.kv_heads * per_bit
        one_by_one = clock / (max(both[0]) + max(attention, anew) + waits)
    bits += cached_bits
    array = products * array_pj(chip.energy) * CHIP_OVER_ARRAY
    return Estimate(
        model=model.name,
        design=chip.name,
        memory=memory.name,
        phase=phase.name,
        linear_cycles=linear,
        attention_cycles=attention,
        memory_cycles=bits * per_bit,
        bytes=bits / 8,
        products=products,
        tokens=tokens,
        tokens_per_second=tokens * clock / taken,
        one_by_one=one_by_one,
        bound="array" if linear >= both[0][1] else "memory",
        array_mj=array * PICO * 1e3 / tokens,
        # Each bit is written into a buffer when it comes, and read for each token.
        sram_mj=(bits * SRAM_PJ_PER_BIT + weights * (tokens - groups) * SRAM_READ_PJ)
        * PICO
        * 1e3
        / tokens,
        dram_mj=bits * memory.pj_per_bit * PICO * 1e3 / tokens,
    )


def _attention(model: ModelShape, chip: Chip, phase: Phase) -> tuple[int, int, float]:
    """Return the cycles of attention, its products, and the bits of keys and values that are read.

    A prompt's tokens meet half of it in the mean. Those that go through side by side read what all
    of them meet once, as do the heads of queries that share a head of keys and values.
    """
    width, tokens = model.head_width, phase.tokens
    met = -(-phase.context // 2) if phase.prefill and not model.encoder else phase.context
    scores = chip.span(width, met, SCORE_OUTLIERS)
    mix = chip.span(met, width, min(MIX_OUTLIERS, met // 2))
    queries, keys = _turns(model, chip)
    cycles = queries * (scores + mix)
    if chip.spread_lanes:
        cycles += (queries + keys) * chip.interval(width, width, SPREAD_OUTLIERS)
    reads = -(-phase.context // SHARED_MOST) * phase.batch if phase.prefill else phase.batch
    bits = 0.0 if model.encoder else reads * model.cached(met) * chip.cache_bits(width)
    products = model.layers * model.heads * 2 * width * met
    return tokens * model.layers * cycles, tokens * products, bits


def _turns(model: ModelShape, chip: Chip) -> tuple[int, int]:
    """Return how many heads an engine has of a layer's queries, and how many of its keys."""
    return -(-model.heads // chip.engines), -(-model.kv_heads // chip.engines)


def _spread_wait(model: ModelShape, chip: Chip) -> int:
    """Return what fills the stages when the heads of a layer are spread, before they meet.

    As many as there may be, a power of two, go through the engine behind one another: as many as
    share a tile of weights, or all if one tile has all outputs.
    """
    width = model.head_width
    if not chip.spread_lanes:
        return 0
    most = VECTORS_MAX if width <= chip.spread_lanes else SHARED_MOST
    # A run for each full number of them, and one for each power of two in the rest.
    runs = sum(n // most + (n % most).bit_count() for n in _turns(model, chip))
    return runs * chip.wait(width, width, SPREAD_OUTLIERS)


def _head_wait(model: ModelShape, chip: Chip, phase: Phase) -> int:
    """Return the mean of what fills the stages for a head's scores and for its mix."""
    width, met = model.head_width, phase.context
    scores = chip.wait(width, met, SCORE_OUTLIERS)
    mix = chip.wait(met, width, min(MIX_OUTLIERS, met // 2))
    return (scores + mix) // 2
