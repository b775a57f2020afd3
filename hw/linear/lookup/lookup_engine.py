"""Lookup engine: activations in, FP16 outputs out, weights on request."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import connect, flipped

from hw.engine_spec import EngineSpec
from hw.formats import FORM, SCALE
from hw.linear.lookup.lookup_array import LookupArray
from hw.linear.lookup.weight_requester import WeightRequester
from hw.linear.output.output_stage import OutputStage
from hw.linear.shell.engine_shell import EngineShell
from hw.stream.component import In, InStream, OutStream
from hw.token.token_factor import TokenFactor
from hw.token.token_quantizer import TokenQuantizer


class LookupEngine(EngineShell):
    """Run a linear layer of K-Means indices, one token after another.

    With ``spec.tokens_together``, several tokens meet a tile before the next tile's turn comes, so
    that its weights are fetched once; outputs come tile by tile then, each token's in turn.

    Bit-exact with :func:`golden.exact.linear.forward`, factors of tokens included. Four stages
    work on different tokens at a time: ingest (scale and outliers), quantiser (codes and residual
    rows), lookup array, output stage.

    Parameters
    ----------
    spec : EngineSpec
        Widths, lanes and the largest layer.

    Timing
    ------
    Latency : of a token whose outputs nobody makes wait, its last output beat comes a constant
        number of cycles after its last weights, when N is a multiple of n_t.
    Rate : a tile of n_t outputs every ceil(K / k_t) + D * ceil(2 k_top / k_t) cycles or every
        ``spec.tile_cycles``, the longer, and a token every ceil(N / n_t) tiles, when that is not
        less than the other stages need and nobody makes it wait.
    Through paths : none.
    Reset : drops all tokens; constants become zero and must be loaded again.
    """

    weight_request_o = OutStream(lambda c: c.requester.request)
    """As from :class:`hw.linear.lookup.weight_requester.WeightRequester`."""
    weight_i = InStream(lambda c: c.array.weights)
    """The answers, in order: 4-bit weight codes ``[input lane][output lane]``."""
    factor_i = InStream(lambda c: SCALE if c.spec.token_factor else None)
    """A factor for each token, as for :class:`hw.token.token_factor.TokenFactor`; only with
    ``spec.token_factor``. It is taken when the token's scale leaves the quantiser. A token whose
    factor is late waits there, and those behind it; nothing else comes of it.
    """

    form = In(lambda c: FORM if c.spec.snaps else None)
    """Of the rows, a :class:`golden.exact.levels.Form`; only with ``spec.snaps``. Steady while
    tokens are under way.
    """

    outliers = In(
        lambda c: c.quantizer.shown_buffer.read.signature.flip() if c.spec.shows_outliers else None
    )
    """Input channels of tokens' outliers, as from
    :class:`hw.token.token_quantizer.TokenQuantizer`, to be read as the lookup array reads codes;
    only with ``spec.shows_outliers``.
    """

    def __init__(self, spec: EngineSpec) -> None:
        self.requester = WeightRequester(spec)
        self.array = LookupArray(spec)
        super().__init__(
            spec,
            TokenQuantizer(spec),
            OutputStage(spec),
            {"requester": self.requester, "array": self.array},
        )

    def connect_scale(self, m: Module, scales: Any) -> None:
        """Multiply a token's scale by its factor on the way, if there is one."""
        if not self.spec.token_factor:
            super().connect_scale(m, scales)
            return
        factor = self.put(m, "factor", TokenFactor())
        connect(m, self.quantizer.scale_o, factor.i)
        connect(m, flipped(self.factor_i), factor.factor_i)
        connect(m, factor.o, scales)

    def connect_datapath(self, m: Module, prepared: Signal) -> None:
        """Look up codes and residual rows with the weights, which are asked for ahead."""
        requester, array, quantizer = self.requester, self.array, self.quantizer
        if self.spec.snaps:
            m.d.comb += quantizer.form.eq(self.form)
        if self.spec.together:
            m.d.comb += [part.together.eq(self.together) for part in (requester, array)]
        if self.spec.shows_outliers:
            connect(m, flipped(self.outliers), quantizer.outliers)
        connect(m, requester.positions, quantizer.positions)
        connect(m, requester.o, flipped(self.weight_request_o))
        connect(m, array.codes, quantizer.codes)
        connect(m, array.rows, quantizer.rows)
        connect(m, flipped(self.weight_i), array.weight_i)
        m.d.comb += [
            array.room.eq(self.output.i.ready),
            self.output.i.valid.eq(array.tile_en),
            self.output.i.payload.eq(array.tile),
        ]
