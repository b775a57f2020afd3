"""A checkpoint's tensors, named as in LLaMA's: which there must be, and reading them."""

from pathlib import Path

from golden.base.errors import InputError
from golden.base.names import some
from golden.base.tensor_file import TensorFile
from golden.models.lm.config import Config, linear_layers
from golden.quantise.methods.layer import Array
from golden.quantise.quantize import require_finite

EMBEDDING = "model.embed_tokens.weight"
HEAD = "lm_head.weight"
# Constants that old checkpoints keep: speeds of rotary positions, which follow from their base.
DERIVED = "rotary_emb.inv_freq"


def tensor_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a checkpoint's tensors; matrices are (outputs, inputs)."""
    hidden, inner = config.hidden, config.inner
    queries, keys = config.heads * config.head_width, config.kv_heads * config.head_width
    matrices = {
        **{"q_proj": (queries, hidden), "k_proj": (keys, hidden), "v_proj": (keys, hidden)},
        **{"o_proj": (hidden, queries), "down_proj": (hidden, inner)},
        **{"gate_proj": (inner, hidden), "up_proj": (inner, hidden)},
    }
    shapes: dict[str, tuple[int, ...]] = {EMBEDDING: (config.vocabulary, hidden)}
    for name in linear_layers(config):
        shapes[f"{name}.weight"] = shape = matrices[name.split(".")[-1]]
        if name.endswith(config.biased):
            shapes[f"{name}.bias"] = shape[:1]
    norms = [
        f"model.layers.{i}.{kind}_layernorm"
        for i in range(config.layers)
        for kind in ("input", "post_attention")
    ]
    shapes |= {f"{name}.weight": (hidden,) for name in [*norms, "model.norm"]}
    return shapes if config.tied else shapes | {HEAD: (config.vocabulary, hidden)}


def read_tensors(path: Path, config: Config) -> dict[str, Array]:
    """Return all tensors of a checkpoint, a file or a folder, as float32.

    Where the embedding is the output head, too, a head of its own is left where it is, as
    other software does.

    Raises
    ------
    InputError
        If a file is missing or broken; if a tensor is missing, of another shape or type, or one
        that no such model has; if a number is not finite.
    """
    file, shapes = TensorFile(path), tensor_shapes(config)
    known = {*shapes, HEAD} if config.tied else set(shapes)
    found = {name for name in file.names if not name.endswith(DERIVED)}
    if missing := [name for name in shapes if name not in found]:
        raise InputError(f"{path} lacks tensors of the model: {some(missing)}")
    if others := sorted(found - known):
        raise InputError(
            f"{path} has tensors that no model of this configuration has: {some(others)}"
        )
    for name, shape in shapes.items():
        if (given := file.shape(name)) != shape:
            raise InputError(f"tensor {name!r} of {path} has shape {given}; expected {shape}")
    tensors = {name: file.tensor(name) for name in shapes}
    for name, tensor in tensors.items():
        require_finite(name, tensor)
    return tensors
