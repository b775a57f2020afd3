"""What every outlier engine has: its ports."""

from hw.stream.component import In, InStream, OutStream, Sized
from hw.topk.orizuru.orizuru_spec import OrizuruSpec


class OutlierEngine(Sized[OrizuruSpec]):
    """Find the k_top largest and the k_top smallest activations of each token.

    Bit-exact with :func:`golden.exact.outliers.select_outliers`: of equals the lower position comes
    first, on both sides.

    Parameters
    ----------
    spec : OrizuruSpec
        Activations per beat, the longest token and the most outliers.
    """

    k_top = In(lambda c: range(c.spec.outliers_max + 1))
    """Outliers on each side, at most the token's length. Steady while tokens are under way."""
    i = InStream(lambda c: c.spec.beat)
    """FP16 keys."""
    largest_o = OutStream(lambda c: c.spec.entry)
    """Per token the k_top largest in descending order; of an engine in reverse, ascending."""
    smallest_o = OutStream(lambda c: c.spec.entry)
    """The k_top smallest in ascending order; of an engine in reverse, descending."""
