"""Quantise the language model for the chip: ``python -m golden.chip`` writes decoder.safetensors.

It takes some minutes. The same Python and NumPy give the same bytes. With ``--bits-a 4`` or ``5``
the activations of the decoder's layers are levels of the grid, and the file is another; what
attention runs on the engine, and the output head, keep the whole grid.
"""

import argparse
from pathlib import Path

from golden.accuracy.options import EvalOptions
from golden.base.arithmetic import pin_arithmetic
from golden.base.console import working
from golden.base.files import require_writable, write_whole
from golden.chip.decoder_file import decoder_bytes
from golden.chip.fit import fit_decoder
from golden.chip.models import DECODER
from golden.exact.spec import GRID_BITS
from golden.models.lm.corpus import calibration_windows
from golden.models.lm.model import LanguageModel

SEED = 0


def main() -> None:
    """Quantise, and write the file."""
    parser = argparse.ArgumentParser(prog="python -m golden.chip", description=__doc__)
    parser.add_argument(
        "--bits-a", type=int, choices=(4, 5, 8), default=GRID_BITS, help="of activations; 8"
    )
    parser.add_argument(
        "--to", type=Path, metavar="FILE", help="to write; decoder_a4.safetensors for --bits-a 4"
    )
    chosen = parser.parse_args()
    bits = chosen.bits_a
    other = bits != GRID_BITS
    path = chosen.to or (Path(f"decoder_a{bits}.safetensors") if other else DECODER)
    require_writable(path)
    pin_arithmetic()
    options = EvalOptions(bits_a=bits, seed=SEED, on_grid=other)
    with working() as say:
        decoder = fit_decoder(
            LanguageModel.load(),
            options,
            calibration_windows(SEED, options.calibration),
            say,
        )
    command = "python -m golden.chip" + f" --bits-a {bits}" * other
    made_by = {"command": command, "seed": SEED, "calibration": options.calibration}
    write_whole(path, decoder_bytes(decoder, made_by))


if __name__ == "__main__":
    main()
