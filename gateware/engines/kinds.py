"""The contract of each kind of engine."""

from functools import partial
from typing import Any

from amaranth.lib import wiring

from gateware.design import Design
from gateware.engines.contract import Contract
from gateware.engines.counter import CounterContract
from gateware.engines.counter_fp16 import Fp16CounterContract
from gateware.engines.lookup import LookupContract
from hw.engine_spec import EngineSpec
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec

CONTRACTS: dict[type[EngineSpec], type[Contract[Any]]] = {
    EngineSpec: LookupContract,
    CounterSpec: CounterContract,
    Fp16CounterSpec: Fp16CounterContract,
}
COMPONENTS = tuple(contract.COMPONENT for contract in CONTRACTS.values())


def engine(spec: EngineSpec) -> Contract[Any]:
    """Return what runs a layer on the engine of a specification."""
    return CONTRACTS[type(spec)](spec)


def is_engine(design: Design) -> bool:
    """Say whether a design is an engine that runs layers."""
    return isinstance(design.make, partial) and design.make.func in COMPONENTS


def engine_of(component: wiring.Component) -> Contract[Any]:
    """Return what runs a layer on an engine.

    Raises
    ------
    TypeError
        If the component is no engine.
    """
    if not isinstance(component, COMPONENTS):
        raise TypeError(f"{type(component).__name__} runs no layer")
    made: Any = component
    return CONTRACTS[type(made.spec)](made.spec, made)
