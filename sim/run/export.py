"""A layer and tokens as files that load an engine, and a bench in plain Verilog that reads them."""

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gateware.design import Design
from gateware.engines.contract import Contract
from gateware.engines.kinds import engine_of
from golden.base.files import make_folder, write_whole
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear
from hw.linear.shell.layer_constants import Select, Size
from hw.stream.share import looked_at
from sim.harness.harness import Ports
from sim.kit.words import pack
from sim.run.layer_file import save_layer
from sim.run.plain_bench import BENCH, Feed, Memory, bench

LAYER, DESCRIPTION = "layer.npz", "export.json"
SLACK = 1000  # cycles for each word that goes in or comes out, before the bench gives up


@dataclass(frozen=True, kw_only=True)
class Words:
    """A file of words, one a line in hexadecimal.

    Parameters
    ----------
    file : str
    about : str
        What they are, in one line.
    width : int
        Bits of a word.
    values : list of int
    """

    file: str
    about: str
    width: int
    values: list[int]

    def text(self) -> str:
        """Return the content of the file."""
        digits = -(-self.width // 4)
        return "".join(f"{value:0{digits}x}\n" for value in self.values)


def export(design: Design, layer: QuantizedLinear, x: BitArray, folder: Path) -> list[Path]:
    """Write a layer and tokens (T, K) for an engine into a folder; return the files.

    Raises
    ------
    InputError
        If the layer does not fit the engine, or the folder cannot be written.
    """
    component: Any = looked_at(design.make())
    contract, ports = engine_of(component), Ports(component)
    golden = contract.golden(layer, x)
    words = list(_words(contract, ports, layer, x, golden.y))
    by_file = {one.file: one for one in words}
    memories = [
        Memory(
            request=image.request,
            answer=image.answer,
            file=f"{image.answer}.hex",
            rows=image.words.shape[0],
            columns=image.words.shape[1],
            width=8 * image.words.shape[2],
            row=ports.field(image.request, image.row_field),
            column=ports.field(image.request, image.column_field),
        )
        for image in contract.memory_images(layer)
    ]
    answers = contract.WEIGHTS.values()
    feeds = [
        Feed(port=port, file=one.file, count=len(one.values))
        for one in words
        if (port := one.file.removesuffix(".hex")) not in answers and ports.streams.get(port)
    ]
    flags = component.signature.members["flags"].shape
    raised = pack(flags, {name: int(getattr(golden, name).any()) for name in flags.members})
    beats = len(x) * contract.weight_beats(layer.inputs, layer.outputs, layer.k_top)
    limit = SLACK * (sum(one.count for one in feeds) + len(by_file["o.hex"].values) + beats)
    text = bench(design.name, ports, feeds, memories, len(by_file["o.hex"].values), raised, limit)
    file = io.BytesIO()
    save_layer(file, layer, x)
    contents: dict[str, str | bytes] = {
        f"{design.name}.v": design.verilog(),
        **{one.file: one.text() for one in words},
        LAYER: file.getvalue(),
        "tokens.npz": _archive(x=x.view(np.float16), y=golden.y.view(np.float16)),
        BENCH: text,
        DESCRIPTION: json.dumps(_description(design, layer, words), indent=2) + "\n",
    }
    make_folder(folder)
    for name, content in contents.items():
        write_whole(folder / name, content)
    return [folder / name for name in contents]


def _words(
    contract: Contract[Any], ports: Ports, layer: QuantizedLinear, x: BitArray, y: BitArray
) -> Iterable[Words]:
    """Yield all words that go in and come out."""
    streams: Any = contract.component.signature.members

    def payload(port: str) -> Any:
        return streams[port].signature.members["payload"].shape

    def words(port: str, about: str, values: Iterable[Any]) -> Words:
        shape = payload(port)
        packed = [pack(shape, value) for value in values]
        width = ports.width[f"{port}__payload"]
        return Words(file=f"{port}.hex", about=about, width=width, values=packed)

    yield words("load_i", "load words: the layer's constants", contract.load_words(layer))
    yield words("i", "activations, FP16, lane 0 lowest", contract.activation_beats(x))
    if factors := contract.factor_words(len(x)):
        yield words("factor_i", "the tokens' factors, all 1", factors)
    for image in contract.memory_images(layer):
        rows, columns, size = image.words.shape
        flat = image.words.reshape(-1, size)
        yield Words(
            file=f"{image.answer}.hex",
            about=f"what answers {image.request}: the word of its {image.row_field} r and"
            f" {image.column_field} c is in line {columns} r + c; beyond row {rows - 1} it is 0",
            width=8 * size,
            values=[int.from_bytes(row.tobytes(), "little") for row in flat],
        )
    lanes = contract.spec.scale_lanes
    padding = ((0, 0), (0, -layer.outputs % lanes))
    used = np.pad(np.full_like(y, 0xFFFF), padding).reshape(-1, lanes)
    beats = len(used) // len(x)
    values = np.pad(y, padding).reshape(-1, lanes)
    rest = dict.fromkeys(payload("o").members, 0)  # what follows from the lanes
    yield words(
        "o",
        "outputs, FP16, that must come",
        (
            rest | {"lanes": row.tolist(), "last": int(n % beats == beats - 1)}
            for n, row in enumerate(values)
        ),
    )
    masks = (rest | {"lanes": row.tolist(), "last": 1} for row in used)
    mask = words("o", "which bits of these count", masks)
    yield Words(file="o_mask.hex", about=mask.about, width=mask.width, values=mask.values)


def _archive(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
    return file.getvalue()


def _description(design: Design, layer: QuantizedLinear, words: list[Words]) -> dict[str, Any]:
    """Return what the files are, ready for JSON."""
    return {
        "run": f"iverilog -g2001 -o bench {BENCH} {design.name}.v && vvp bench",
        "layer": {
            "inputs": layer.inputs,
            "outputs": layer.outputs,
            "outliers_on_each_side": layer.k_top,
        },
        "files": {
            one.file: {"about": one.about, "words": len(one.values), "bits": one.width}
            for one in words
        },
        "select": {one.name: one.value for one in Select},
        "size_address": {one.name: one.value for one in Size},
        "design": design.sidecar(),
    }
