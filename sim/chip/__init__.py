"""Models on the chip: text in, text out, every bit compared with the golden machine."""
