"""A small language model of the LLaMA kind, trained by this project on text every Python has."""
