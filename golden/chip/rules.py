"""What ends a run before its time, and what an instruction must be so that it does not."""

import enum

from golden.chip.instruction import PITCH_BITS, Instruction, Op
from golden.chip.shape import CODES_PER_BYTE, FP16_BYTES, TOKEN_BYTES, ChipShape
from golden.exact.levels import Form
from golden.exact.spec import FACTOR_BITS

# The words of the vector memory that operations begin at, for as many numbers as they count.
SOURCES = {
    **dict.fromkeys((Op.STORE, Op.LARGEST, Op.ROOT, Op.CACHE, Op.CHOOSE), "a"),
    **dict.fromkeys((Op.ADD, Op.MULTIPLY, Op.ROTATE, Op.GATE, Op.POWERS), "abd"),
    **{Op.LOAD: "d", Op.LINEAR: "a"},
}
LOADS = (Op.CONSTANTS, Op.CHANNELS)  # what the engine holds
COUNTING = (*SOURCES, *LOADS)
START_BITS = 40  # of what the sum of ROOT begins with
VECTORS_MAX = 128  # that a LINEAR step of one tile takes
POSITIONS = 1 << 17
FACTORS = (Op.POWERS, Op.ROOT)  # what makes one
WHOLE_WORDS = (Op.LOAD, Op.CONSTANTS, Op.CHANNELS, Op.LINEAR)  # of the bus, from their address on


class Fault(enum.IntEnum):
    """What ended a run; as :class:`hw.chip.run.Fault`."""

    NONE = 0
    INSTRUCTION = 1
    MEMORY = 2
    NUMBER = 3
    STOPPED = 4
    HANG = 5


class FaultError(ValueError):
    """A run has ended with a fault.

    Parameters
    ----------
    fault : Fault
    text : str
        What was wrong.
    """

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


def alignment(one: Instruction, shape: ChipShape) -> int:
    """Return the number of bytes that an instruction's address is a multiple of."""
    if one.op in WHOLE_WORDS:
        return shape.bus_bytes
    if one.op == Op.STORE:
        return FP16_BYTES * shape.inputs_per_beat
    if one.op == Op.CACHE:
        return code_word(one, shape) // CODES_PER_BYTE
    return TOKEN_BYTES if one.op in (Op.TAKE, Op.NEXT) else 1


def code_word(one: Instruction, shape: ChipShape) -> int:
    """Return the codes of a word that CACHE writes."""
    return shape.inputs_per_beat if one.keys else shape.output_lanes


def pitch(one: Instruction, side: str) -> int:
    """Return the words from one vector of LINEAR to the next; ``side`` is ``a`` or ``d``."""
    return one.extra >> PITCH_BITS * "ad".index(side) & ((1 << PITCH_BITS) - 1)


def check(
    one: Instruction, shape: ChipShape, *, address: int, loaded: tuple[int, int, int]
) -> None:
    """Refuse an instruction that the chip refuses.

    Parameters
    ----------
    one : Instruction
        Its ``count`` and ``outputs`` as they are at this position.
    shape : ChipShape
    address : int
        Its address, its stride in it.
    loaded : (int, int, int)
        Inputs and outputs of the layer in the engine, and the channels that have scales.

    Raises
    ------
    FaultError
    """

    def require(holds: bool, text: str) -> None:
        if not holds:
            raise FaultError(Fault.INSTRUCTION, f"{one.text()}: {text}")

    size = alignment(one, shape)
    require(address % size == 0, f"its address {address:#x} must be a multiple of {size}")
    require(one.op not in COUNTING or one.count > 0, "its count must be at least 1")
    words = {name: shape.words(one.count) for name in SOURCES.get(one.op, "")}
    if one.op == Op.LINEAR:
        inputs, outputs, channels = loaded
        fits = one.count == inputs and 0 < one.outputs == outputs <= channels
        require(fits, f"the engine holds a layer of {inputs} x {outputs}, {channels} scales")
        require(one.step % size == 0, f"its step must be a multiple of {size}")
        require(one.form in set(Form), f"there are {len(Form)} forms of rows")
        most = VECTORS_MAX if one.outputs <= shape.output_lanes else shape.tokens_together
        require(one.b == 0 or 1 << one.b <= most, f"up to {most} vectors of so many outputs")
        words["d"] = shape.words(one.outputs)
        if one.b:
            pitches = {name: pitch(one, name) for name in words}
            apart = all(pitches[name] >= words[name] for name in words)
            require(apart, f"its vectors take {words} words, and its pitches are {pitches}")
            words = {name: pitches[name] << one.b for name in words}
        last = one.slot + (1 << one.b) if one.scaled else 0
        require(last <= shape.tokens_together, f"{shape.tokens_together} factors are kept")
    for name, length in words.items():
        last = getattr(one, name) + length
        require(last <= shape.vector_words, f"{name} reaches beyond the vector memory")
    if one.op in FACTORS:
        require(one.slot < shape.tokens_together, f"{shape.tokens_together} factors are kept")
    if one.op == Op.CHANNELS:
        require(one.count <= shape.outputs_max, f"there are {shape.outputs_max} channels")
    elif one.op == Op.ROOT:
        require(one.extra >> START_BITS == 0, f"its sum must begin below 2**{START_BITS}")
    elif one.op == Op.GATE:
        require(shape.gelu or not one.scaled, "this chip has no GELU")
    elif one.op == Op.ROTATE:
        require(one.count % 2 == 0, "its count must be even")
    elif one.op == Op.CACHE:
        codes = code_word(one, shape)
        require(one.count % codes == 0, f"its count must be a multiple of {codes}")
        require(one.step % size == 0, f"its step must be a multiple of {size}")
        require(one.outputs % FP16_BYTES == 0, "the address of scales must be even")
        require(one.b >> FACTOR_BITS - 1 == 1, "its factor must have a mantissa of 16 bits")
