"""Verilog of designs, out of the cache where it was written before from the same sources."""

import importlib.metadata
from collections.abc import Callable

from gateware.design import Design
from gateware.emit import simulation_verilog
from gateware.sources import source_digest
from golden.base.cache import default_cache, digest

SIMULATION = "simulation"


def cached_verilog(design: Design) -> str:
    """Return a design's Verilog, as :meth:`gateware.design.Design.verilog` does."""
    return _made("verilog", design, design.verilog)


def cached_simulation_verilog(design: Design) -> str:
    """Return what :func:`gateware.emit.simulation_verilog` does of a design."""
    return _made(SIMULATION, design, lambda: simulation_verilog(design.make(), design.name))


def is_simulation_known(design: Design) -> bool:
    """Whether the cache has a design's Verilog for a simulator, so that little is left to do."""
    key = _key(design)
    return key is not None and default_cache().get(SIMULATION, key, len) is not None


def _made(kind: str, design: Design, make: Callable[[], str]) -> str:
    key = _key(design)
    return default_cache().made(kind, key, make, bytes.decode, str.encode) if key else make()


def _key(design: Design) -> str | None:
    """Return a hash of what a design's Verilog depends on; None if no file says how it is made."""
    sources = source_digest(design)
    return sources and digest(sources, importlib.metadata.version("pyosys"))
