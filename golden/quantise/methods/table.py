"""The methods by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from golden.base.names import lookup
from golden.quantise.methods.atom import OUTLIER_CHANNELS, prepare_atom
from golden.quantise.methods.kllm import prepare_kllm
from golden.quantise.methods.layer import Prepare
from golden.quantise.methods.quarot import prepare_quarot
from golden.quantise.methods.rtn import prepare_fp16, prepare_rtn
from golden.quantise.methods.smoothquant import prepare_smoothquant
from golden.quantise.methods.static_thresholds import prepare_static


@dataclass(frozen=True)
class Method:
    """A way to quantise linear layers.

    Parameters
    ----------
    title : str
        What tables call it.
    prepare : Prepare
        Quantises a layer; see :class:`golden.quantise.methods.layer.Prepare`.
    """

    title: str
    prepare: Prepare


METHODS: Mapping[str, Method] = {
    "fp16": Method("FP16", prepare_fp16),
    "rtn": Method("RTN per token", prepare_rtn),
    "rtn_g128": Method("RTN, groups of 128", partial(prepare_rtn, group=128)),
    "smoothquant": Method("SmoothQuant", prepare_smoothquant),
    "quarot_rtn": Method("QuaRot, to nearest", partial(prepare_quarot, feed_back=False)),
    "quarot": Method("QuaRot, GPTQ", prepare_quarot),
    "atom_rtn": Method("Atom, to nearest", partial(prepare_atom, feed_back=False)),
    "atom": Method("Atom, GPTQ", prepare_atom),
    "atom_128": Method(
        "Atom, GPTQ, 128 channels in 8 bits", partial(prepare_atom, outliers=OUTLIER_CHANNELS)
    ),
    "kllm_static": Method("the KLLM paper's K-Means, static thresholds", prepare_static),
    "kllm_dynamic": Method(
        "the KLLM paper's K-Means, outliers of each token",
        partial(prepare_kllm, symmetric=False, recipe="paper"),
    ),
    "kllm": Method("KLLM, symmetric", prepare_kllm),
    "kllm_plain": Method("KLLM, plain", partial(prepare_kllm, symmetric=False)),
}


def require_method(name: str) -> Method:
    """Return a method; raise InputError, with the near matches, if there is none of that name."""
    return lookup("method", name, METHODS)
