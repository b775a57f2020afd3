"""Kinds of vectors on which outlier engines are compared."""

import numpy as np

from golden.base.errors import InputError
from golden.exact.fp16 import BitArray
from golden.models.minilm import MiniLM
from golden.models.text import held_out_texts

REAL = "minilm"
LAYER = "encoder.layer.3.output.dense"  # its inputs follow a GELU: few are large, most near zero
TEXTS = 12


def made_up(inputs: int, tokens: int, seed: int) -> dict[str, BitArray]:
    """Return vectors (T, N) of each kind that needs no model, as FP16 patterns.

    ``random`` is normal; ``sorted`` and ``reversed`` are the worst cases of engines that take what
    comes in order; ``equal`` and ``two-valued`` are nothing but ties.
    """
    rng = np.random.default_rng(seed)
    random = rng.normal(size=(tokens, inputs))
    ascending = np.sort(rng.normal(size=(1, inputs)))
    kinds = {
        "random": random,
        "sorted": ascending,
        "reversed": ascending[:, ::-1],
        "equal": np.full((1, inputs), 0.25),
        "two-valued": rng.choice([-1.0, 1.0], (1, inputs)),
    }
    return {name: _bits(x) for name, x in kinds.items()}


def real(inputs: int, tokens: int) -> BitArray:
    """Return activations of MiniLM (T, N): those of successive tokens, one after another.

    Raises
    ------
    golden.base.errors.ToolError
        If the model is not installed.
    golden.base.errors.InputError
        If the texts do not have so many.
    """
    seen = MiniLM().activations([LAYER], held_out_texts(0, TEXTS))[LAYER].ravel()
    if len(seen) < inputs * tokens:
        raise InputError(
            f"the texts give {len(seen)} activations, {tokens} vectors of {inputs} take"
            f" {inputs * tokens}: ask for fewer"
        )
    return _bits(seen[: inputs * tokens].reshape(tokens, inputs))


def _bits(x: np.ndarray) -> BitArray:
    return np.ascontiguousarray(x.astype(np.float16)).view(np.uint16)
