"""The methods by name."""

from collections.abc import Mapping
from functools import partial

from golden.base.names import lookup
from golden.exact.mac import GROUP
from golden.quantise.methods.atom import OUTLIER_CHANNELS, prepare_atom
from golden.quantise.methods.kllm import prepare_kllm
from golden.quantise.methods.layer import Prepare
from golden.quantise.methods.quarot import prepare_quarot
from golden.quantise.methods.rtn import prepare_fp16, prepare_rtn
from golden.quantise.methods.smoothquant import prepare_smoothquant
from golden.quantise.methods.static_thresholds import prepare_static

METHODS: Mapping[str, Prepare] = {
    "fp16": prepare_fp16,
    "rtn": prepare_rtn,
    "rtn_g128": partial(prepare_rtn, group=GROUP),
    "smoothquant": prepare_smoothquant,
    "quarot_rtn": partial(prepare_quarot, feed_back=False),
    "quarot": prepare_quarot,
    "atom_rtn": partial(prepare_atom, feed_back=False),
    "atom": prepare_atom,
    "atom_128": partial(prepare_atom, outliers=OUTLIER_CHANNELS),
    # The KLLM paper's K-Means, outliers by static thresholds and of each token.
    "kllm_static": prepare_static,
    "kllm_dynamic": partial(prepare_kllm, symmetric=False, recipe="paper"),
    "kllm": prepare_kllm,
    "kllm_plain": partial(prepare_kllm, symmetric=False),
}


def require_method(name: str) -> Prepare:
    """Return a method; raise InputError, with the near matches, if there is none of that name."""
    return lookup("method", name, METHODS)
