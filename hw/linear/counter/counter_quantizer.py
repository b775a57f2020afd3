"""Counter quantiser: codes, residuals and outlier positions, as the counting engine takes them."""

from typing import Any

from amaranth.hdl import Const, Module
from amaranth.utils import exact_log2

from hw.formats import INDEX_BITS
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter.residual_store import ResidualStore
from hw.stream.token_buffer import TokenBuffer
from hw.token.token_quantizer import TokenQuantizer


class CounterQuantizer(TokenQuantizer):
    """A :class:`hw.token.token_quantizer.TokenQuantizer` with other buffers.

    Its ports and timing are the same, but for what the buffers hold: ``codes`` has ``pairs``
    codes a word, ``rows`` an outlier's ``spec.residual`` a word, ``positions`` an input channel
    a word.
    """

    spec: CounterSpec

    def make_residuals(self) -> Any:
        """Return what works on the residuals."""
        return ResidualStore(self.spec)

    def make_buffers(self) -> tuple[TokenBuffer, TokenBuffer, TokenBuffer]:
        """Return the buffers of codes, residuals and positions."""
        spec = self.spec
        words = spec.pairs // spec.inputs_per_beat  # of the coding pass in one of ours
        outliers = 2 * spec.outliers_max
        return (
            TokenBuffer(INDEX_BITS * spec.inputs_per_beat, words, spec.counting_beats_max),
            TokenBuffer(spec.residual.size, 1, outliers),
            TokenBuffer(spec.position_bits, 1, outliers),
        )

    def connect_residuals(self, m: Module) -> None:
        """Connect nothing more: residuals are not cut into digits."""

    def write_codes(self, m: Module) -> None:
        """Put a few words of the coding pass side by side."""
        write, codes = self.code_buffer.write, self.coding.codes
        words = self.spec.pairs // self.spec.inputs_per_beat
        lane = exact_log2(words)
        m.d.comb += [
            write.en.eq((Const(1, words) & codes.en.replicate(words)) << codes.address[:lane]),
            write.address.eq(codes.address >> lane),
            write.data.eq(codes.data.replicate(words)),
        ]
