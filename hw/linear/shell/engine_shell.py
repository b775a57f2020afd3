"""Engine shell: what every linear engine has around its datapath."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data
from amaranth.lib.wiring import connect, flipped

from hw.engine_spec import EngineSpec
from hw.linear.output.scale_keeper import ScaleKeeper
from hw.linear.shell.layer_constants import LayerConstants
from hw.stream.component import Component, In, InStream, Out, OutStream
from hw.stream.queue import Queue
from hw.token.token_ingest import TokenIngest

FLAGS = data.StructLayout({"nonfinite": 1, "overflow": 1})
# Tokens whose scale waits for their outputs: two in buffers, one in the lanes, one going out.
SCALES = 4
TOKENS = 14  # at most, in buffers and registers other than those that hold codes


class EngineShell(Component, ABC):
    """Run a linear layer of K-Means indices, one token after another, but for the sums.

    It holds the layer's constants and gives each part those that it has a port for; takes in
    activations, finds their scale, codes and outliers; keeps a token's scale until its outputs
    are scaled; keeps flags, and counts the tokens under way. What multiplies codes with weights
    is the datapath between quantiser and output stage.

    Parameters
    ----------
    spec : EngineSpec
        Widths, lanes and the largest layer.
    quantizer, output : wiring.Component
        What makes codes of tokens, and outputs of sums.
    datapath : dict
        The parts between them, by name.

    Timing
    ------
    Latency : the datapath's.
    Rate : four stages work on different tokens at a time: ingest, quantiser, datapath, output.
    Through paths : none.
    Reset : drops all tokens; constants become zero and must be loaded again.
    """

    load_i = InStream(lambda c: c.constants.word)
    """The layer's constants, as for :class:`hw.linear.shell.layer_constants.LayerConstants`. Words
    are taken while no token is under way; load all of them before a token's first beat. With
    ``spec.loads_ahead`` they are those of the next layer, and taken at any time.
    """
    begin = In(lambda c: 1 if c.spec.loads_ahead else None)
    """Strobe, while no token is under way: that layer begins, and the flags are cleared."""
    together = In(lambda c: c.spec.together)
    """Tokens that meet a tile of weights one behind the other, before the next tile's turn comes;
    steady from the first one's first beat to the last one's last output. A number of one is as
    ever; there may be one tile for any number of tokens then.
    """
    i = InStream(lambda c: c.ingest.lanes)
    """FP16 activations, ``inputs_per_beat`` a beat, lane 0 lowest; a token has
    ceil(K / inputs_per_beat) beats.
    """
    o = OutStream(lambda c: c.output.beat)
    """FP16 outputs, ``scale_lanes`` a beat, as from
    :class:`hw.linear.output.output_stage.OutputStage`.
    """
    flags = Out(FLAGS)
    """Sticky until cleared by a load word: an activation was NaN or infinite (and counted as
    zero), an output is infinite.
    """
    idle = Out(1)
    """Whether no token is under way."""

    def __init__(
        self, spec: EngineSpec, quantizer: Any, output: Any, datapath: Mapping[str, Any]
    ) -> None:
        self.spec = spec
        self.constants = LayerConstants(spec)
        self.ingest = TokenIngest(spec)
        self.quantizer, self.output = quantizer, output
        self.datapath = dict(datapath)
        super().__init__()

    @abstractmethod
    def connect_datapath(self, m: Module, prepared: Signal) -> None:
        """Connect the datapath with the quantiser, the output stage and the weights.

        ``prepared`` is a strobe: the quantiser has a token ready.
        """

    def connect_scale(self, m: Module, scales: Any) -> None:
        """Let a token's scale go from the quantiser into the queue in front of the output stage."""
        connect(m, self.quantizer.scale_o, scales)

    def build(self, m: Module) -> None:  # noqa: D102
        constants, ingest = self.constants, self.ingest
        quantizer, output = self.quantizer, self.output
        self.put(m, "constants", constants)
        parts = {"ingest": ingest, "quantizer": quantizer, **self.datapath, "output": output}
        for name, part in parts.items():
            self.put(m, name, part)
            constants.give(m, part)

        # Activations go in; a token's data, its scale and its outliers go on to the quantiser.
        connect(m, flipped(self.load_i), constants.i)
        connect(m, flipped(self.i), ingest.i)
        connect(m, ingest.scale_o, quantizer.scale_i)
        connect(m, ingest.outlier_o, quantizer.outlier_i)
        connect(m, quantizer.tokens, ingest.tokens)
        connect(m, output.o, flipped(self.o))

        scales = self.put(m, "scales", Queue(output.scale_i.payload.shape(), SCALES))
        if self.spec.together:
            keeper = self.put(m, "keeper", ScaleKeeper(self.spec))
            m.d.comb += [keeper.shape.eq(constants.shape), keeper.together.eq(self.together)]
            m.d.comb += output.together.eq(self.together)
            connect(m, scales.o, keeper.i)
            connect(m, keeper.o, output.scale_i)
        else:
            connect(m, scales.o, output.scale_i)
        self.connect_scale(m, scales.i)
        prepared = Signal()
        m.d.comb += prepared.eq(quantizer.scale_o.valid & quantizer.scale_o.ready)
        self.connect_datapath(m, prepared)
        self._watch(m)

    def _watch(self, m: Module) -> None:
        """Keep the flags, and count the tokens under way."""
        sent = self.o.valid & self.o.ready
        with m.If(self.constants.clear_flags):
            m.d.sync += self.flags.eq(0)
        for flag, raised in (
            (self.flags.nonfinite, self.ingest.nonfinite),
            (self.flags.overflow, sent & self.o.payload.infinite.any()),
        ):
            with m.If(raised):
                m.d.sync += flag.eq(1)
        tokens = Signal(range(TOKENS + max(2, self.spec.tokens_together)))
        m.d.sync += tokens.eq(tokens + self.ingest.started - (sent & self.o.payload.last))
        m.d.comb += [self.idle.eq(tokens == 0), self.constants.idle.eq(self.idle)]
        if self.spec.loads_ahead:
            m.d.comb += self.constants.begin.eq(self.begin)
