"""What ``kllm eval`` measures, and on what."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from golden.base.errors import InputError
from golden.base.names import lookup
from golden.exact.codebook import A_INDEX_BITS, require_index_bits
from golden.exact.index_statistics import INDEX_BITS
from golden.exact.outliers import outliers_per_side
from golden.models.lm.kv_cache import published_cache
from golden.models.minilm import linear_layers
from golden.quantise.methods.beyond import is_beyond, prepare_beyond, require_beyond
from golden.quantise.methods.kllm import prepare_kllm
from golden.quantise.methods.layer import Prepare
from golden.quantise.methods.table import require_method
from golden.quantise.recipes.table import DEFAULT, require_recipe

# Told how much of the work is done, and of how much.
Progress = Callable[[int, int], object]
Figures = dict[str, Any]  # by name, ready for JSON
OWN = "kllm"
FULL, PAPER = KEPT = ("full", "paper")  # what becomes of keys and values


@dataclass(frozen=True, kw_only=True)
class EvalOptions:
    """One measurement.

    Parameters
    ----------
    method : str
        A name in :data:`golden.quantise.methods.table.METHODS`.
    bits_w, bits_a : int
        Bits of a weight and of an activation.
    outlier_share : float
        Share kept exact on each side; for ``kllm`` alone.
    symmetric : bool
        Whether codebooks are ``±c``; for ``kllm`` alone.
    recipe : str
        A name in :data:`golden.quantise.recipes.table.RECIPES`; for ``kllm`` alone.
    calibration : int
        Texts, or windows of text, to calibrate on.
    texts : int
        To measure on; none of them calibrates.
    seed : int
        Chooses both, and every random thing.
    layers : str
        Only MiniLM's linear layers with this in their name are quantised.
    tuning : bool
        Whether to measure on the text that methods are chosen on, for trying something new;
        otherwise on text that no choice has seen.
    kv : str
        ``full``: attention has keys and values in full precision. ``paper``: as the method's paper
        keeps them, see :mod:`golden.models.lm.kv_cache`. For the language model alone.
    on_indices : tuple of str
        Nonlinear operations on 4-bit indices, see :mod:`golden.accuracy.on_indices`; the others
        are in full precision.
    on_grid : bool
        Whether activations of 4 or 5 bits are levels of the grid of 8, as on the chip; for
        ``kllm`` alone.
    """

    method: str = OWN
    bits_w: int = 4
    bits_a: int = 4
    outlier_share: float = 0.005
    symmetric: bool = True
    recipe: str = DEFAULT
    calibration: int = 64
    texts: int = 64
    seed: int = 0
    layers: str = ""
    tuning: bool = False
    kv: str = FULL
    on_indices: tuple[str, ...] = ()
    on_grid: bool = False

    def __post_init__(self) -> None:
        for name in ("calibration", "texts"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.seed < 0:
            raise InputError(f"the seed must be 0 or more, got {self.seed}")
        if not any(self.layers in name for name in linear_layers()):
            raise InputError(f"no linear layer of MiniLM has {self.layers!r} in its name")

    def check(self) -> None:
        """Raise InputError if the method or the recipe is not known; before long work."""
        require_method(self.method)
        require_recipe(self.recipe)
        lookup("way to keep keys and values", self.kv, dict.fromkeys(KEPT))
        if self.kv == PAPER:
            published_cache(self.method)
        if "norm" in self.on_indices and (self.method != OWN or self.bits_a != INDEX_BITS):
            raise InputError("norms on indices count those of kllm with --bits-a 4")
        outliers_per_side(1, self.outlier_share)
        if self.method == OWN:
            if self._beyond():
                require_beyond(self.bits_w, self.bits_a, self.recipe)
            else:
                require_index_bits("weight_bits", self.bits_w)
                require_index_bits("activation_bits", self.bits_a, A_INDEX_BITS)

    def prepare(self) -> Prepare:
        """Return the method, with what is for it alone."""
        if self.method == OWN:
            return partial(
                prepare_beyond if self._beyond() else partial(prepare_kllm, on_grid=self.on_grid),
                symmetric=self.symmetric,
                outlier_share=self.outlier_share,
                recipe=self.recipe,
            )
        return require_method(self.method)

    def _beyond(self) -> bool:
        return is_beyond(self.bits_a, self.recipe)
