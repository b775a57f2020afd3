"""Quantise a model for the chip: ``python -m golden.chip`` writes decoder.safetensors.

It takes some minutes. The same Python and NumPy give the same bytes. With ``--bits-a 4`` or ``5``
the activations of the decoder's layers are levels of the grid, and the file is another; what
attention runs on the engine, and the output head, keep the whole grid. With ``--encoder`` the model
is MiniLM in place of the language model, and the file encoder.safetensors.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from golden.accuracy.options import EvalOptions
from golden.base.arithmetic import pin_arithmetic
from golden.base.console import working
from golden.base.files import require_writable, write_whole
from golden.chip.decoder_file import decoder_bytes
from golden.chip.encoder_file import encoder_bytes
from golden.chip.encoder_fit import fit_encoder
from golden.chip.fit import fit_decoder
from golden.chip.models import DECODER, ENCODER
from golden.exact.spec import GRID_BITS
from golden.models.lm.corpus import calibration_windows
from golden.models.lm.model import LanguageModel
from golden.models.minilm import MiniLM
from golden.models.text import calibration_texts, everyday_texts

SEED = 0
COMMAND = "python -m golden.chip"
Report = Callable[[str, float], object]  # told what is done, and which share of all


def main() -> None:
    """Quantise, and write the file."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument(
        "--bits-a", type=int, choices=(4, 5, 8), default=GRID_BITS, help="of activations; 8"
    )
    parser.add_argument("--encoder", action="store_true", help="MiniLM, with 8 bits")
    parser.add_argument(
        "--to", type=Path, metavar="FILE", help="to write; decoder_a4.safetensors for --bits-a 4"
    )
    chosen = parser.parse_args()
    bits = chosen.bits_a
    other = bits != GRID_BITS
    if chosen.encoder and other:
        parser.error("an encoder's activations have 8 bits: leave out --bits-a")
    own = ENCODER if chosen.encoder else DECODER
    path = chosen.to or (Path(f"decoder_a{bits}.safetensors") if other else own)
    require_writable(path)
    pin_arithmetic()
    options = EvalOptions(bits_a=bits, seed=SEED, on_grid=other)
    with working() as say:
        fit = _encoder if chosen.encoder else _decoder
        write_whole(path, fit(options, say))


def _decoder(options: EvalOptions, report: Report) -> bytes:
    text = calibration_windows(SEED, options.calibration)
    command = COMMAND + f" --bits-a {options.bits_a}" * options.on_grid
    return decoder_bytes(
        fit_decoder(LanguageModel.load(), options, text, report), _made_by(command, options)
    )


def _encoder(options: EvalOptions, report: Report) -> bytes:
    everyday = everyday_texts()
    text = calibration_texts(SEED, options.calibration) + everyday
    made_by = _made_by(f"{COMMAND} --encoder", options) | {"everyday": len(everyday)}
    return encoder_bytes(fit_encoder(MiniLM(), options, text, report), made_by)


def _made_by(command: str, options: EvalOptions) -> dict[str, object]:
    return {"command": command, "seed": SEED, "calibration": options.calibration}


if __name__ == "__main__":
    main()
