"""What a model may do wrong while it reads, by name: none of it may pass for "nothing found".

Knows no model; whoever reads with one raises these, whoever answers counts them.
"""

from __future__ import annotations


class ModelFault(Exception):
    """The model gave what no reader may use."""


class EncoderError(ModelFault, RuntimeError):
    """The encoder gave what no reader may use: wrong shape, or numbers that are none."""


class NotFinite(EncoderError):
    """Numbers of the encoder that are none (NaN, infinite): above no threshold, they would pass for "no finding here"."""


class ScoresNotFinite(ModelFault, ArithmeticError):
    """Scores of diagnoses that are none: they would pass for "this diagnosis is not possible"."""
