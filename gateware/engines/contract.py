"""What everything that runs a layer on an engine asks of it, whatever its kind."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from amaranth.lib import wiring

from gateware.engines.cycles import Cycles
from gateware.engines.memory_image import MemoryImage
from golden.base.errors import InputError
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear, Result
from golden.exact.mapping import index_code, stored_centroids
from golden.exact.spec import SCALE_BITS, NumberSpec
from golden.exact.token_scale import Scale
from hw.engine_spec import EngineSpec
from hw.linear.shell.layer_constants import Select, Size
from hw.stream.share import looked_at

Spec = TypeVar("Spec", bound=EngineSpec)
Constant = tuple[
    Select, int, int | np.integer
]  # of a load word: where it goes, its address, its value
EXPONENT_BITS = 8  # of the token scale's factor in its load word


class Contract(ABC, Generic[Spec]):
    """What runs a layer on one kind of engine.

    Every engine takes load words on ``load_i`` and activations on ``i``, sends outputs on ``o``,
    and says ``flags`` and ``idle``; for its weights it sends requests, which the words of
    :meth:`memory_images` answer, one for each stream of requests.

    Parameters
    ----------
    spec : EngineSpec
        The engine's.
    component : wiring.Component, optional
        The engine itself, if there is one already.

    Attributes
    ----------
    COMPONENT : type
        The kind of component.
    ASKED : int
        Cycles from a token that is quantised to its first request for weights.
    WEIGHTS : dict
        Streams of requests for weights, and those of the answers; the main branch's come first.
    """

    COMPONENT: ClassVar[type[wiring.Component]]
    ASKED: ClassVar[int]
    WEIGHTS: ClassVar[dict[str, str]]

    def __init__(self, spec: Spec, component: Any = None) -> None:
        self.spec = spec
        self._component = component

    @cached_property
    def component(self) -> Any:
        """An engine to look at, for its latencies and layouts; make another one to build."""
        make: Any = self.COMPONENT
        return self._component or looked_at(make(self.spec))

    def require_size(self, *, inputs: int, outputs: int, k_top: int) -> None:
        """Raise InputError if a layer is too large for the engine."""
        for what, value, most in (
            ("inputs", inputs, self.spec.inputs_max),
            ("output channels", outputs, self.spec.outputs_max),
            ("outliers on each side", k_top, self.spec.outliers_max),
        ):
            if value > most:
                raise InputError(
                    f"the layer has {value} {what}; this design takes at most {most}:"
                    f" {self._advice(inputs, outputs, k_top)}"
                )

    def _advice(self, inputs: int, outputs: int, k_top: int) -> str:
        """Say which designs are large enough, or what else can be done."""
        from gateware.engines.kinds import is_engine
        from gateware.points import CATALOGUE

        symmetric = self.spec.numbers.symmetric
        engines = {name: made.spec for name, made in CATALOGUE.items() if is_engine(made)}
        same = {name: one for name, one in engines.items() if one.numbers.symmetric == symmetric}
        fitting = [
            name
            for name, one in same.items()
            if inputs <= one.inputs_max and outputs <= one.outputs_max and k_top <= one.outliers_max
        ]
        if fitting:
            return f"choose --design {' or '.join(fitting)}"
        most = max(one.outliers_max for one in same.values())
        if k_top > most:
            return (
                f"no design takes more than {most}; keep a smaller share (--outliers), or give one"
                f" its own sizes: --set outliers_max={k_top}"
            )
        return "no design takes so large a layer; give one its own sizes: --set inputs_max=..."

    def require(self, layer: QuantizedLinear) -> None:
        """Raise InputError if the engine is too small for a layer, or has other numbers."""
        self.require_size(inputs=layer.inputs, outputs=layer.outputs, k_top=layer.k_top)
        if not self.spec.numbers.runs(layer.spec):
            raise InputError(
                f"the layer was quantised for {_numbers(layer.spec)}; the engine has"
                f" {_numbers(self.spec.numbers)}: name another --design, with or without"
                " --symmetric"
            )

    def load_words(self, layer: QuantizedLinear) -> list[dict[str, int]]:
        """Return the payloads of ``load_i`` that put a layer's constants into the engine.

        Raises
        ------
        InputError
            If the layer does not fit, see :meth:`require`.
        """
        self.require(layer)
        centroids = stored_centroids(layer.a_centroids, symmetric=layer.spec.symmetric)
        exponent = layer.factor.exponent & ((1 << EXPONENT_BITS) - 1)
        sizes = (
            (Size.INPUTS, layer.inputs),
            (Size.OUTPUTS, layer.outputs),
            (Size.K_TOP, layer.k_top),
            (Size.LAST_CENTROID, len(centroids) - 1),
            (Size.DIGITS, layer.spec.residual_digits(layer.inputs)),
            (Size.FACTOR, layer.factor.mantissa | exponent << 16),
            (Size.CLEAR_FLAGS, 0),
        )
        constants: list[Constant] = [(Select.SIZE, size.value, value) for size, value in sizes]
        if not layer.spec.made:
            constants += [(Select.A_CENTROID, n, value) for n, value in enumerate(centroids)]
        constants += self.constants(layer)
        mask = (1 << self.spec.channel.size) - 1
        return [
            {"select": select.value, "address": address, "word": int(value) & mask}
            for select, address, value in constants
        ]

    @abstractmethod
    def constants(self, layer: QuantizedLinear) -> Iterator[Constant]:
        """Yield what the engine loads but for the layer's size and the activation codebook."""

    @abstractmethod
    def memory_images(self, layer: QuantizedLinear) -> list[MemoryImage]:
        """Return what answers each stream of :attr:`WEIGHTS`, in the same order."""

    def activation_beats(self, x: BitArray) -> Iterator[int]:
        """Yield the payloads of ``i`` for tokens (T, K), lane 0 lowest."""
        lanes = self.spec.inputs_per_beat
        padded = np.pad(x, ((0, 0), (0, -x.shape[1] % lanes)))
        for beat in padded.reshape(-1, lanes):
            yield int.from_bytes(beat.astype("<u2").tobytes(), "little")

    def output_beats(self, outputs: int) -> int:
        """Return how many beats of ``o`` a token has."""
        return -(-outputs // self.spec.scale_lanes)

    def outputs(self, lanes: Sequence[Sequence[int]], layer: QuantizedLinear) -> BitArray:
        """Return the outputs (T, N) that the ``lanes`` of all tokens' beats of ``o`` hold."""
        beats = self.output_beats(layer.outputs)
        flat = np.array(lanes, np.uint16).reshape(-1, beats * self.spec.scale_lanes)
        return flat[:, : layer.outputs].copy()

    def factor_words(self, tokens: int, factor: Scale | None = None) -> list[dict[str, int]]:
        """Return the payloads of ``factor_i`` for so many tokens; none if there is no such stream.

        Where no factor (T,) is given it is 1.

        Raises
        ------
        InputError
            If the engine takes no factors and some are given.
        """
        if not self.spec.token_factor:
            if factor is not None:
                raise InputError(
                    "this design takes no factors of tokens: name another one, with token_factor"
                )
            return []
        ones = np.ones(tokens, np.int64)
        given = factor or Scale(ones << (SCALE_BITS - 1), ones * (1 - SCALE_BITS))
        pairs = zip(given.mantissa.tolist(), given.exponent.tolist(), strict=True)
        return [{"mantissa": mantissa, "exponent": exponent} for mantissa, exponent in pairs]

    @abstractmethod
    def golden(self, layer: QuantizedLinear, x: BitArray, factor: Scale | None = None) -> Result:
        """Return what the engine makes of tokens (T, K) and their factors (T,), bit for bit.

        The flags of a run are the ``any()`` of ``nonfinite`` and ``overflow``.
        """

    def cycles(self, inputs: int, outputs: int, k_top: int, *, memory: int = 1) -> Cycles:
        """Return what a layer takes, by stage.

        Parameters
        ----------
        inputs, outputs, k_top : int
            Size of the layer.
        memory : int
            Cycles from a request for weights to its answer.
        """
        made, beats = self.component, -(-inputs // self.spec.inputs_per_beat)
        residuals = made.quantizer.residuals
        outliers = residuals.fill + 2 * k_top * residuals.period if k_top else 0
        coded = beats + made.quantizer.coding.behind
        quantise = 1 + made.quantizer.preparation + max(coded, outliers)
        taken_in = beats - 1 + made.ingest.latency
        asked = self.ASKED + memory
        return Cycles(
            ingest=beats + 4 * k_top,
            quantise=quantise + 1,
            main=self.main_cycles(inputs, outputs, k_top),
            compensation=self.compensation_cycles(outputs, k_top),
            output=-(-outputs // self.spec.output_lanes) * self.spec.output_cycles,
            latency=taken_in + quantise + asked + self.alone(inputs, outputs, k_top),
        )

    @abstractmethod
    def main_cycles(self, inputs: int, outputs: int, k_top: int) -> int:
        """Return the cycles of the main branch for a token."""

    @abstractmethod
    def compensation_cycles(self, outputs: int, k_top: int) -> int:
        """Return the cycles of an outlier branch of its own for a token."""

    @abstractmethod
    def alone(self, inputs: int, outputs: int, k_top: int, *, later: int = 1) -> int:
        """Return the cycles from a lone token's first main weights to its last outputs, both in.

        Parameters
        ----------
        inputs, outputs, k_top : int
            Size of the layer.
        later : int
            By how much the first weights of an outlier branch of its own come later.
        """

    @property
    @abstractmethod
    def multiply_accumulates(self) -> int:
        """Of the main branch, per cycle."""

    @abstractmethod
    def weight_beats(self, inputs: int, outputs: int, k_top: int) -> int:
        """Return the beats of weights that a token takes in the main branch, one a cycle."""


def weight_codes(layer: QuantizedLinear) -> npt.NDArray[np.uint8]:
    """Return the 4-bit codes (K, N) of a layer's weights."""
    index = layer.w_index.astype(np.int64)
    codes = index_code(index, len(layer.w_centroids), symmetric=layer.spec.symmetric)
    return codes.astype(np.uint8)


def _numbers(spec: NumberSpec) -> str:
    kind = "symmetric" if spec.symmetric else "plain"
    bits = f"{spec.magnitude_bits} bits"
    rows = f"rows of {bits} made" if spec.made else f"products of {bits}"
    return f"{kind} codebooks, activations of {spec.activation_bits} bits and {rows}"
