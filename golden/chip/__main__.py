"""Quantise the language model for the chip: ``python -m golden.chip`` writes decoder.safetensors.

It takes some minutes. The same Python and NumPy give the same bytes.
"""

from golden.accuracy.options import EvalOptions
from golden.base.arithmetic import pin_arithmetic
from golden.base.console import working
from golden.base.files import write_whole
from golden.chip.decoder_file import decoder_bytes
from golden.chip.fit import fit_decoder
from golden.chip.models import DECODER
from golden.models.lm.config import linear_layers
from golden.models.lm.corpus import calibration_windows
from golden.models.lm.model import LanguageModel

SEED = 0


def main() -> None:
    """Quantise, and write the file."""
    pin_arithmetic()
    options = EvalOptions(bits_a=8, seed=SEED)
    done = iter(range(1, len(linear_layers()) + 1))
    with working() as say:
        decoder = fit_decoder(
            LanguageModel.load(),
            options,
            calibration_windows(SEED, options.calibration),
            lambda name: say(name, next(done) / len(linear_layers())),
        )
    made_by = {"command": "python -m golden.chip", "seed": SEED, "calibration": options.calibration}
    write_whole(DECODER, decoder_bytes(decoder, made_by))


if __name__ == "__main__":
    main()
