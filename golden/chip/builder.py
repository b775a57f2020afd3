"""Builder: a program and the memory image that it works on, as they grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from golden.base.errors import InputError
from golden.chip.constants import SPEC, LoadWord
from golden.chip.image import Image
from golden.chip.instruction import BYTES, PITCH_BITS, Index, Instruction, Op
from golden.chip.layer_image import channel_words, constant_words, tiles
from golden.chip.shape import FP16_BYTES, ChipShape
from golden.exact.fp16 import BitArray
from golden.exact.levels import Form
from golden.exact.linear import QuantizedLinear


@dataclass(frozen=True)
class LoadWords:
    """Load words in memory; with a stride, those of a position are so many bytes further.

    Parameters
    ----------
    address, count, stride : int
    """

    address: int
    count: int
    stride: int = 0


class Builder:
    """Puts regions into an image, and instructions into a program.

    Parameters
    ----------
    shape : ChipShape
    """

    def __init__(self, shape: ChipShape) -> None:
        self.shape = shape
        self.image = Image()
        self.program: list[tuple[str, Instruction]] = []

    def finish(self, name: str = "program") -> tuple[int, dict[int, str]]:
        """Put the program into the image; return its address, and what each address does."""
        packed = b"".join(one.pack() for _, one in self.program)
        program = self.image.put(name, packed)
        return program, {program + BYTES * n: name for n, (name, _) in enumerate(self.program)}

    # Regions.

    def row_bytes(self, numbers: int) -> int:
        """Return the bytes of so many FP16 numbers that begin with a word of the bus."""
        return self.shape.aligned(FP16_BYTES * numbers)

    def rows(self, name: str, rows: BitArray) -> int:
        """Put rows of FP16 numbers into the image."""
        stride = self.row_bytes(rows.shape[1])
        packed = (row.astype("<u2").tobytes().ljust(stride, b"\0") for row in rows)
        return self.once(name, b"".join(packed))

    def load_words(self, name: str, words: bytes) -> LoadWords:
        """Put load words into the image, if they are not there."""
        return LoadWords(self.once(name, words), len(words) // LoadWord.BYTES)

    def once(self, name: str, content: bytes) -> int:
        """Put a region into the image, if it is not there."""
        if name not in self.image.regions:
            self.image.put(name, content)
        return self.image.regions[name][0]

    def load_words_by_position(self, name: str, rows: Sequence[bytes]) -> LoadWords:
        """Put load words for each position into the image."""
        stride = self.shape.aligned(len(rows[0]))
        content = b"".join(row.ljust(stride, b"\0") for row in rows)
        return LoadWords(self.image.put(name, content), len(rows[0]) // LoadWord.BYTES, stride)

    # Instructions.

    def do(self, name: str, op: Op, **fields: Any) -> None:
        """Append an instruction; ``name`` says what it computes."""
        self.program.append((name, Instruction(op=op, **fields)))

    def load(
        self, name: str, to: int, address: int, count: int, index: Index, token: int = 0
    ) -> None:
        """Load a vector; with an index, a row of many, of a ``token`` of the block."""
        stride = 0 if index is Index.NONE else self.row_bytes(count)
        place = {"address": address, "index": index, "stride": stride, "token": token}
        self.do(name, Op.LOAD, d=to, count=count, **place)

    def constants(self, name: str, words: LoadWords, **fields: Any) -> None:
        """Load load words."""
        index = Index.POSITION if words.stride else Index.NONE
        place = {"address": words.address, "index": index, "stride": words.stride}
        self.do(name, Op.CONSTANTS, count=words.count, **place, **fields)

    def channels(self, name: str, address: int, places: int, **fields: Any) -> None:
        """Load scales of channels."""
        self.do(name, Op.CHANNELS, address=address, extra=places & 0xFF, **fields)

    def linear(
        self, name: str, layer: QuantizedLinear, a: int, d: int, *, scaled: bool, b: int = 0
    ) -> None:
        """Run ``2**b`` vectors through a linear layer, which is put into the image once.

        Raises as below.
        """
        self.ready(name, name, layer)
        self.through(name, name, layer, a, d, scaled=scaled, b=b)

    def ready(self, name: str, region: str, layer: QuantizedLinear) -> None:
        """Load what the engine holds of a linear layer, which is put into the image once.

        Raises
        ------
        InputError
            If the chip's engine cannot run it.
        """
        shape = self.shape
        if layer.inputs > shape.inputs_max or layer.outputs > shape.outputs_max:
            raise InputError(
                f"{name} has {layer.inputs} inputs and {layer.outputs} outputs; the chip takes"
                f" {shape.inputs_max} and {shape.outputs_max}: take a larger chip"
            )
        if layer.k_top > shape.outliers_max or layer.spec != SPEC:
            raise InputError(
                f"{name} must be in the numbers {SPEC}, with up to {shape.outliers_max} outliers"
                f" a side; it is in {layer.spec}, with {layer.k_top}"
            )
        self.constants(name, self.load_words(f"{region}.constants", constant_words(layer)))
        content, biased, places = channel_words(layer)
        address = self.once(f"{region}.channels", content)
        self.channels(name, address, places, count=layer.outputs, scaled=biased)
        self.once(f"{region}.weights", tiles(shape, layer))

    def through(
        self,
        name: str,
        region: str,
        layer: QuantizedLinear,
        a: int,
        d: int,
        *,
        scaled: bool,
        b: int = 0,
    ) -> None:
        """Run ``2**b`` vectors through the linear layer that the engine is ready for."""
        self.do(
            name,
            Op.LINEAR,
            **{"a": a, "b": b, "d": d, "extra": self.pitches(layer) if b else 0},
            **{"count": layer.inputs, "outputs": layer.outputs, "scaled": scaled},
            form=layer.levels.form if layer.levels else Form.A8,
            address=self.image.regions[f"{region}.weights"][0],
            step=self.shape.tile_bytes(layer.inputs),
        )

    def pitches(self, layer: QuantizedLinear) -> int:
        """Return what says that vectors stand one behind the other, before and behind a layer."""
        inputs, outputs = (self.shape.words(size) for size in (layer.inputs, layer.outputs))
        return inputs | outputs << PITCH_BITS

    def ones(self, count: int) -> int:
        """Put so many ones into the image."""
        return self.image.put("ones", np.full(count, 0x3C00, "<u2").tobytes())
