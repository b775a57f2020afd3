"""Size of a chip's vector memory and of the units that work on it, and the memory's ports."""

from dataclasses import dataclass

from amaranth.lib import data, wiring
from amaranth.utils import ceil_log2

from golden.exact.spec import require_int
from hw.formats import require_power_of_two
from hw.stream.token_buffer import Port

COUNT_BITS = 16  # of the numbers of a vector


@dataclass(frozen=True, kw_only=True)
class VectorSpec:
    """Parameters of the units that work on a vector memory.

    Parameters
    ----------
    word_lanes : int
        FP16 numbers in a word of the memory: a power of two, 2 to 64.
    lanes : int
        Numbers that a unit takes in a cycle: a power of two, up to ``word_lanes``.
    words : int
        Words of the memory, up to 65536.
    gelu : bool
        Whether there is GELU.
    """

    word_lanes: int
    lanes: int
    words: int
    gelu: bool = False

    def __post_init__(self) -> None:
        require_power_of_two("word_lanes", self.word_lanes, low=2, high=64)
        require_power_of_two("lanes", self.lanes, low=1, high=self.word_lanes)
        require_int("words", self.words, low=2, high=1 << 16)

    @property
    def steps(self) -> int:
        """Steps in which a word is worked off."""
        return self.word_lanes // self.lanes

    @property
    def address_bits(self) -> int:
        """Bits of a word's address."""
        return ceil_log2(self.words)

    @property
    def word(self) -> data.ArrayLayout:
        """A word of the memory."""
        return data.ArrayLayout(16, self.word_lanes)


class VectorRead(Port):
    """Read port of a vector memory, as the reader sees it.

    ``en``: reads word ``address`` into ``data``, which is there in the next cycle and stays until
    the one after the next ``en``.
    """

    def __init__(self, spec: VectorSpec) -> None:
        super().__init__(
            {
                "en": wiring.Out(1),
                "address": wiring.Out(spec.address_bits),
                "data": wiring.In(spec.word),
            }
        )


class VectorWrite(Port):
    """Write port of a vector memory, as the writer sees it.

    ``en``: writes these lanes of ``data`` to word ``address``.
    """

    def __init__(self, spec: VectorSpec) -> None:
        super().__init__(
            {
                "en": wiring.Out(spec.word_lanes),
                "address": wiring.Out(spec.address_bits),
                "data": wiring.Out(spec.word),
            }
        )
