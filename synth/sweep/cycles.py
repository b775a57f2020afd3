"""How many cycles a design takes for a token, by the closed formula of its kind."""

from gateware.design import Design
from gateware.engines.kinds import engine, is_engine
from gateware.points.baseline import make_array
from golden.base.errors import InputError


def require_cycles(design: Design) -> None:
    """Raise InputError unless there is a formula for a design."""
    if design.kind is not make_array and not is_engine(design):
        raise InputError(
            f"there is no formula for the cycles of {design.name}, only for whole engines and"
            " arrays: leave cycles out of measure"
        )


def token_cycles(design: Design, inputs: int, outputs: int, outliers: int) -> int:
    """Return the cycles from token to token where nobody makes the engine wait.

    Of an array that has no rate of its own, a baseline, those from its first beat to its last.

    Parameters
    ----------
    design : Design
        Of a kind that :func:`require_cycles` lets pass.
    inputs, outputs : int
        Size of the layer.
    outliers : int
        On both sides together.
    """
    spec = design.spec
    if is_engine(design):
        return engine(spec).cycles(inputs, outputs, outliers // 2).interval
    return spec.cycles(inputs, outputs)
