"""Models that are ready for the chip."""

from pathlib import Path

# The project's language model, as ``python -m golden.chip`` makes it.
DECODER = Path(__file__).with_name("decoder.safetensors")
# MiniLM, as ``python -m golden.chip --encoder`` makes it.
ENCODER = Path(__file__).with_name("encoder.safetensors")
