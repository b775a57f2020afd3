"""A model folder quantised layer by layer: in bounded memory, and going on where it was ended.

The output folder holds a file for each linear layer, which ``kllm run`` takes, and
:data:`MANIFEST`, which says what they were made from. While it is made, it also holds the
hidden states before the layer that comes next: whoever begins again begins there. Everything
follows from the inputs and the seed, so the bytes are the same however often that was.
"""

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from golden.base.errors import InputError
from golden.base.files import make_folder, write_whole
from golden.models.layerwise import LayerwiseModel, Seen, open_model
from golden.models.lm.calibration import tokens_of_file, tokens_of_text, windows_of
from golden.models.lm.tokens import TOKENIZER, Tokens, load_tokenizer
from golden.quantise.layer_container import container
from golden.quantise.methods.layer import Array
from golden.quantise.quantize import quantize_linear
from golden.quantise.recipes.table import DEFAULT, require_recipe

MANIFEST = "quantized.json"
SUFFIX = ".kllm.safetensors"
STATE = "hidden-{}.npz"  # before a layer
WINDOW = 256  # tokens, where the text is not cut into windows already
HEADER_MOST = 1 << 26  # bytes
TOKEN_FILES = (".json", ".npz")

Report = Callable[[str, float], object]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How each linear layer is quantised.

    Parameters
    ----------
    weight_bits, activation_bits : int
    symmetric : bool
    outlier_share : float
    recipe : str
    windows : int
        Of calibration text, of up to :data:`WINDOW` tokens.
    seed : int
        Chooses them.
    """

    weight_bits: int = 4
    activation_bits: int = 4
    symmetric: bool = True
    outlier_share: float = 0.005
    recipe: str = DEFAULT
    windows: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        require_recipe(self.recipe)

    def quantise(self, weight: Array, bias: Array, x: Array) -> bytes:
        """Return the file of a layer, without its name."""
        options = {n: v for n, v in asdict(self).items() if n not in ("windows", "seed")}
        layer = quantize_linear(weight, bias, x, **options)
        return container({"layer": layer}, asdict(self))


def quantise_folder(
    folder: Path, calibration: Path, out: Path, recipe: Recipe, report: Report
) -> list[Path]:
    """Quantise all linear layers of a folder's model; return the files of the layers.

    Parameters
    ----------
    folder : Path
        A model of LLaMA's or BERT's kind.
    calibration : Path
        Text for the folder's tokenizer, or tokens as
        :func:`golden.models.lm.calibration.tokens_of_file` reads them.
    out : Path
        Where; what stands there from the same work is kept.
    recipe : Recipe
    report : callable
        Told what is done, and which share of all.

    Raises
    ------
    InputError
        If the model or the text cannot be used, or the folder holds other work.
    """
    model = open_model(folder)
    rows = _rows(folder, calibration, model, recipe)
    if out.resolve() == folder.resolve():
        raise InputError(f"{out} is the model's own folder: name another with -o")
    manifest = {
        "made_by": asdict(recipe),
        "model": _fingerprint(folder),
        "calibration": hashlib.sha256(b"".join(row.tobytes() for row in rows)).hexdigest(),
    }
    make_folder(out)
    _begin(out, manifest)
    files = [out / f"{name}{SUFFIX}" for i in range(model.layers) for name in model.linears(i)]
    if not all(file.exists() for file in files):
        first, hidden = _state(out, model, rows)
        for i in range(first, model.layers):
            hidden = _layer(model, i, hidden, out, recipe, report)
            if i + 1 < model.layers:
                write_whole(out / STATE.format(i + 1), _archive(hidden))
            (out / STATE.format(i)).unlink(missing_ok=True)
    for state in out.glob(STATE.format("*")):
        state.unlink()
    sums = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    write_whole(out / MANIFEST, json.dumps(manifest | {"layers": sums}, indent=2) + "\n")
    return files


def _layer(
    model: LayerwiseModel,
    i: int,
    hidden: Sequence[Array],
    out: Path,
    recipe: Recipe,
    report: Report,
) -> list[Array]:
    """Quantise what is not yet of a layer's linear layers; return the hidden states behind it."""
    names = model.linears(i)
    missing = [name for name in names if not (out / f"{name}{SUFFIX}").exists()]
    seen: Seen = {name: [] for name in missing}
    report(f"layer {i}", i / model.layers)
    after = model.after(i, hidden, seen)
    for name in missing:
        report(name, (i + names.index(name) / len(names)) / model.layers)
        weight, bias = model.weights(name)
        try:
            content = recipe.quantise(weight, bias, np.concatenate(seen.pop(name)))
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
        write_whole(out / f"{name}{SUFFIX}", content)
    return after


def _rows(folder: Path, file: Path, model: LayerwiseModel, recipe: Recipe) -> list[Tokens]:
    """Return the windows of tokens that calibrate."""
    if file.suffix in TOKEN_FILES:
        tokens = tokens_of_file(file)
    elif (folder / TOKENIZER).is_file():
        tokens = tokens_of_text(file, load_tokenizer(folder / TOKENIZER))
    else:
        raise InputError(
            f"{folder} has no {TOKENIZER} to make tokens of {file} with: give tokens, as"
            f" {' or '.join(TOKEN_FILES)}"
        )
    context = model.context if tokens.ndim == 2 else min(model.context, WINDOW)
    return list(
        windows_of(
            tokens,
            vocabulary=model.vocabulary,
            context=context,
            count=recipe.windows,
            seed=recipe.seed,
            source=file,
        )
    )


def _fingerprint(folder: Path) -> dict[str, str]:
    """Return what tells a model's files from others without reading gigabytes.

    Of safetensors that is the header, which names all tensors, and the length.
    """
    found = {}
    for path in sorted(folder.iterdir()):
        if path.suffix not in (".json", ".safetensors"):
            continue
        with path.open("rb") as file:
            start = file.read(8)
            rest = int.from_bytes(start, "little") if path.suffix == ".safetensors" else -1
            start += file.read(min(rest, HEADER_MOST))
        found[path.name] = hashlib.sha256(start + b"%d" % path.stat().st_size).hexdigest()
    return found


def _begin(out: Path, manifest: Mapping[str, Any]) -> None:
    """Write what the folder is for, or see that it is for the same."""
    path = out / MANIFEST
    if not path.exists():
        write_whole(path, json.dumps(manifest, indent=2) + "\n")
        return
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}; name another folder") from None
    for key, said in json.loads(json.dumps(manifest)).items():
        if before.get(key) != said:
            raise InputError(
                f"{out} holds layers that were quantised with another {key.replace('_', ' ')}:"
                " name another folder, or remove that one"
            )


def _state(out: Path, model: LayerwiseModel, rows: Sequence[Tokens]) -> tuple[int, list[Array]]:
    """Return the layer to begin with, and the hidden states before it."""
    for i in range(model.layers - 1, 0, -1):
        path = out / STATE.format(i)
        if path.exists():
            with np.load(path, allow_pickle=False) as file:
                return i, [file[f"arr_{n}"] for n in range(len(rows))]
    return 0, model.embedded(rows)


def _archive(hidden: Sequence[Array]) -> bytes:
    file = io.BytesIO()
    np.savez(file, *hidden)
    return file.getvalue()
