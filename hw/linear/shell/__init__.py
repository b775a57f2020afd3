"""What all linear engines share: constants, ingest, quantiser, scales, flags."""
