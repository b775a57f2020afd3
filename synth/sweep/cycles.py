"""How many cycles a design takes for a token, by the closed formula of its kind."""

from gateware.design import Design
from gateware.points.baseline import make_array
from golden.base.errors import InputError
from golden.exact.cycles import lookup_beats
from hw.linear.counter.counter_engine import CounterEngine
from hw.linear.counter_fp16.fp16_counter_engine import Fp16CounterEngine
from hw.linear.linear_engine import LinearEngine

KINDS = (LinearEngine, CounterEngine, Fp16CounterEngine, make_array)


def require_cycles(design: Design) -> None:
    """Raise InputError unless there is a formula for a design."""
    if design.kind not in KINDS:
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
    if design.kind is LinearEngine:
        beats = lookup_beats(
            inputs,
            outputs,
            outliers,
            inputs_per_beat=spec.inputs_per_beat,
            output_lanes=spec.output_lanes,
            digits=spec.numbers.residual_digits,
        )
        return max(beats, spec.tile_cycles * -(-outputs // spec.output_lanes))
    if design.kind is make_array:
        return spec.cycles(inputs, outputs)
    return max(spec.main_cycles(inputs, outputs), spec.compensation_cycles(outputs, outliers))
