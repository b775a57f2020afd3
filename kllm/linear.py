"""Layers in the Python package: quantising, computing, keeping; offered as ``kllm.…``.

Arrays are NumPy's. Tokens are (T, K), weights (N, K) as torch's ``Linear.weight``, biases (N,).
Errors of what is given are :class:`golden.base.errors.InputError`, a ``ValueError``; of missing or
failing tools :class:`golden.base.errors.ToolError`, a ``RuntimeError``.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

import golden.exact.linear as exact
from golden.base.errors import InputError
from golden.exact.fp16 import to_bits
from golden.quantise.quantize import quantize_linear

Floats = npt.NDArray[np.floating]
Fp16 = npt.NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class QuantizedLinear:
    """A linear layer in the engines' numbers: ``y = x · W + bias`` on codebook indices.

    Parameters
    ----------
    constants : golden.exact.linear.QuantizedLinear
        Codebooks, indices, scales, product table and bias: what an engine loads.
    """

    constants: exact.QuantizedLinear

    @property
    def inputs(self) -> int:
        """K."""
        return self.constants.inputs

    @property
    def outputs(self) -> int:
        """N."""
        return self.constants.outputs

    def forward(self, x: Floats) -> Fp16:
        """Return the outputs (T, N) of tokens (T, K), bit for bit those of the hardware.

        NaN and infinity count as zero, as they do there.
        """
        return exact.forward(self.constants, self.tokens(x)).y.view(np.float16)

    def weights(self) -> Floats:
        """Return the weights (N, K) that the indices stand for."""
        book = self.constants.w_codebook()
        return (book[self.constants.w_index] * self.constants.w_scale.value()).T

    def tokens(self, x: Floats) -> npt.NDArray[np.uint16]:
        """Return the FP16 patterns of tokens (T, K), or of one token (K,).

        Raises
        ------
        InputError
            If they have another shape.
        """
        rows = np.atleast_2d(x)
        if rows.ndim != 2 or rows.shape[1] != self.inputs:
            raise InputError(f"tokens must have shape (T, {self.inputs}), got {np.shape(x)}")
        return to_bits(rows)

    def save(self, path: str | Path, name: str = "layer") -> None:
        """Write the layer as ``kllm quantize`` does; ``kllm run`` and :func:`load` take it."""
        from golden.base.files import write_whole
        from golden.quantise.layer_container import container

        write_whole(Path(path), container({name: self.constants}, {}))


def load(path: str | Path, name: str = "layer") -> QuantizedLinear:
    """Return a layer of a file that :meth:`QuantizedLinear.save` or ``kllm quantize`` wrote."""
    from golden.quantise.layer_container import read_layer

    return QuantizedLinear(read_layer(Path(path), name))


def quantize(
    weights: Floats,
    calibration: Floats,
    bias: Floats | None = None,
    *,
    weight_bits: int = 4,
    activation_bits: int = 4,
    symmetric: bool = True,
    outliers: float = 0.005,
    recipe: str = "refined",
) -> QuantizedLinear:
    """Quantise a linear layer.

    Parameters
    ----------
    weights : (N, K) float
        As torch's ``Linear.weight``.
    calibration : (T, K) float
        Typical tokens; some hundreds are enough.
    bias : (N,) float, optional
        Zeros by default.
    weight_bits : int
        Bits of a weight's index, 2 to 4.
    activation_bits : int
        Bits of an activation, 2 to 5; or 8: rows made of a grid.
    symmetric : bool
        Whether codebooks are symmetric about zero; the engine must be alike.
    outliers : float
        Share of a token's activations kept exact on each side, 0 to 0.5.
    recipe : str
        ``refined``, or the faster ``weighted`` and ``paper``.

    Raises
    ------
    InputError
        If shapes do not match, or a number is not finite or out of range.
    """
    w, x = np.asarray(weights), np.asarray(calibration)
    if w.ndim != 2 or x.ndim != 2 or w.shape[1] != x.shape[1]:
        raise InputError(
            f"weights (N, K) and calibration (T, K) must have the same K; they have the shapes"
            f" {w.shape} and {x.shape}"
        )
    return QuantizedLinear(
        quantize_linear(
            w.T,
            np.zeros(len(w)) if bias is None else np.asarray(bias),
            x,
            weight_bits=weight_bits,
            activation_bits=activation_bits,
            symmetric=symmetric,
            outlier_share=outliers,
            recipe=recipe,
        )
    )
