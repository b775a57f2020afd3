"""The language model exactly as the chip computes it: perplexity on held-out text."""

from collections.abc import Iterable, Iterator

from golden.accuracy.options import Figures, Progress
from golden.chip.decoder import Decoder
from golden.chip.windows import ChipModel
from golden.models.lm.corpus import held_out_windows
from golden.models.lm.model import LanguageModel
from golden.models.lm.perplexity import losses, paired_error, perplexity
from golden.models.lm.tokens import Tokens


def evaluate(decoder: Decoder, seed: int, texts: int, progress: Progress) -> Figures:
    """Measure held-out windows: output head, cache and all that is not linear included.

    Parameters
    ----------
    decoder : Decoder
        The language model in the chip's numbers.
    seed : int
        Draws the windows.
    texts : int
        How many.
    progress : callable
        Told how many windows of how many are done.

    Returns
    -------
    dict
        ``increase`` (of the perplexity, over full precision on the same windows),
        ``standard_error`` (of the increase, in pairs of windows), ``perplexity``, ``fp32``.

    Raises
    ------
    InputError
        If there are fewer windows.
    """
    text = held_out_windows(seed, texts)
    done = 0

    def track(parts: Iterable[Tokens]) -> Iterator[Tokens]:
        nonlocal done
        for part in parts:
            yield part
            done += len(part)
            progress(done, len(text))

    found = losses(ChipModel(decoder), text, track)
    whole = losses(LanguageModel.load(), text)
    return {
        "increase": perplexity(found) - perplexity(whole),
        "standard_error": paired_error(found, whole),
        "perplexity": perplexity(found),
        "fp32": perplexity(whole),
        "seed": seed,
        "texts": texts,
        "losses": found.tolist(),
    }
