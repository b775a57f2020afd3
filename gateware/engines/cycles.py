"""Cycles: how long the stages of an engine work on a token."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cycles:
    """What a layer takes in an engine whose tokens, weights and outputs nobody makes wait.

    Parameters
    ----------
    ingest : int
        To take a token in: its beats, and about four cycles for an outlier that is kept on each
        side. How long Orizuru pauses depends on the data.
    quantise : int
        From a token's scale until the next token's may come.
    main : int
        Of the weights for all inputs; in a lookup engine for the outliers too.
    compensation : int
        Of the weights for the outliers beside them.
    output : int
        To scale a token's outputs.
    latency : int
        Of a token that is alone, from its first activations to its last outputs, both in, where
        Orizuru does not pause.
    """

    ingest: int
    quantise: int
    main: int
    compensation: int
    output: int
    latency: int

    @property
    def interval(self) -> int:
        """From token to token: the slowest stage."""
        return max(self.ingest, self.quantise, self.main, self.compensation, self.output)
