"""What of a chip's size decides how its memory is laid out."""

from dataclasses import dataclass

CODES_PER_BYTE = 2
FP16_BYTES = 2
TOKEN_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class ChipShape:
    """Sizes that a program and its memory image depend on.

    Parameters
    ----------
    inputs_per_beat : int
        Input channels that a beat of the lookup array covers, k_t; FP16 numbers in a word of the
        vector memory, too.
    output_lanes : int
        Output channels side by side, n_t.
    bus_bytes : int
        Bytes of a word of the memory bus.
    vector_words : int
        Words of the vector memory.
    inputs_max, outputs_max, outliers_max : int
        Largest layer of the engine.
    tokens_together : int
        Vectors that can meet a tile of weights one behind the other, before the next tile.
    gelu : bool
        Whether the vector unit has GELU.
    """

    inputs_per_beat: int
    output_lanes: int
    bus_bytes: int
    vector_words: int
    inputs_max: int
    outputs_max: int
    outliers_max: int
    tokens_together: int
    gelu: bool = False

    @property
    def beat_bytes(self) -> int:
        """Bytes of the weight codes of a beat."""
        return self.inputs_per_beat * self.output_lanes // CODES_PER_BYTE

    def tile_bytes(self, inputs: int) -> int:
        """Return the bytes of a tile of output lanes with so many inputs, in whole beats."""
        return -(-inputs // self.inputs_per_beat) * self.beat_bytes

    def aligned(self, size: int) -> int:
        """Return so many bytes, rounded up to whole words of the bus."""
        return -(-size // self.bus_bytes) * self.bus_bytes

    def whole(self, numbers: int) -> int:
        """Return so many numbers, rounded up to whole words of the vector memory."""
        return self.words(numbers) * self.inputs_per_beat

    def words(self, numbers: int) -> int:
        """Return how many words of the vector memory so many numbers take."""
        return -(-numbers // self.inputs_per_beat)
