"""Linear layers on codebook indices: quantise them, run them, and make the hardware that does.

>>> import kllm
>>> layer = kllm.quantize(weights, calibration)  # (N, K) and (T, K)
>>> y = layer.forward(x)
>>> engine = kllm.engine(symmetric=True, output_lanes=16)
>>> run = kllm.simulate(engine, layer, x)

docs/python.md has all of it, with examples that run. What is behind a name is loaded when it is
used: importing the package takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kllm.hardware import Engine, Simulation, engine, simulate
    from kllm.linear import QuantizedLinear, load, quantize

__all__ = ["Engine", "QuantizedLinear", "Simulation", "engine", "load", "quantize", "simulate"]
LAYERS = ("QuantizedLinear", "load", "quantize")  # in ``linear``; the others are in ``hardware``


def __getattr__(name: str) -> Any:
    """Return a name of the modules behind the package, which are loaded now."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "linear" if name in LAYERS else "hardware"
    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    """Return what the package offers."""
    return __all__
