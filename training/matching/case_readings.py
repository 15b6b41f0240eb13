"""Cases as serving reads them: what their findings say of each diagnosis, and their sentences as the case matcher gets them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp_core.assess import Reader
from nlp_core.case_matcher import FIGURES
from nlp_core.chart import Chart

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ReadCase:
    """D: diagnoses, S: sentences, W: width of the encoder."""

    scores: Floats
    """[D]: natural-log odds by findings, age, sex, setting and frequency; -inf where impossible."""
    figures: Floats
    """[S, W + FIGURES]: see case_matcher.sentence_figures."""


def read_charts(reader: Reader, charts: Iterable[Chart], width: int) -> Iterator[ReadCase]:
    """Each chart read the serving way, its sentences kept apart from its findings."""
    for chart in charts:
        read = reader.read(chart)
        shares = reader.reasoner.weighed(read.found).shares.sum(axis=0)
        told = [one.figures for one in read.found.told]
        yield ReadCase(
            np.asarray(reader.reasoner.beforehand(read.found, read.patient) + shares, np.float32),
            np.stack(told) if told else np.zeros((0, width + FIGURES), np.float32),
        )
