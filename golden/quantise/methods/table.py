"""The methods by name."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from golden.base.names import lookup
from golden.exact.mac import GROUP
from golden.quantise.methods.atom import OUTLIER_CHANNELS, prepare_atom
from golden.quantise.methods.kllm import prepare_kllm
from golden.quantise.methods.layer import Prepare
from golden.quantise.methods.quarot import prepare_quarot
from golden.quantise.methods.rtn import prepare_fp16, prepare_rtn
from golden.quantise.methods.smoothquant import prepare_smoothquant
from golden.quantise.methods.static_thresholds import prepare_static

# QuaRot to nearest, as published, and with what its code offers beside.
QUAROT: Mapping[str, Mapping[str, Any]] = {
    "quarot_rtn": {"feed_back": False},
    "quarot": {},
    "quarot_asym": {"asymmetric": True},
    "quarot_g128": {"group": GROUP},
    "quarot_asym_g128": {"asymmetric": True, "group": GROUP},
}
METHODS: Mapping[str, Prepare] = {
    "fp16": prepare_fp16,
    "rtn": prepare_rtn,
    "rtn_g128": partial(prepare_rtn, group=GROUP),
    # Activations with a zero point.
    "rtn_asym": partial(prepare_rtn, asymmetric=True),
    "rtn_asym_g128": partial(prepare_rtn, asymmetric=True, group=GROUP),
    "smoothquant": prepare_smoothquant,
    **{name: partial(prepare_quarot, **options) for name, options in QUAROT.items()},
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
