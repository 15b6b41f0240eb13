"""Findings to ranked diagnoses, each finding's share kept.

The model is a sum: how common the diagnosis is, how well age, sex, onset and setting fit, and for every observed finding the
logarithm of how much more often it occurs with the diagnosis than without (share_tables, weighing), and what the sentences
say as a whole (case_matcher). The shares of the sum are the evidence. Knows numbers only; the words behind a finding are kept by findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import log
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from nlp_core.assertion import Assertion
from nlp_core.case_matcher import CaseMatcher
from nlp_core.chart import Setting, Sex
from nlp_core.findings import ChartFindings
from nlp_core.knowledge import Diagnosis, Knowledge, Onset
from nlp_core.model_faults import ScoresNotFinite
from nlp_core.onset import ONSETS
from nlp_core.share_tables import Floats, ShareTables
from nlp_core.weighing import Weighed, Weigher

_NOTHING = 1e-6
"""Natural-log odds up to which a finding moved nothing."""
_RAREST_SETTING = 0.05
"""Nobody is so surely never seen somewhere that a share below this should count."""
_ONSET_FITS = np.array([0.4, 0.1, -0.4, -0.8, -1.0, -1.0], dtype=np.float32)
"""What the onset adds, by how many steps (ONSETS) the patient's lies from the diagnosis's."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is known of the patient besides findings."""

    age_years: float | None = None
    sex: Sex = "unknown"
    onset: Onset | None = None
    setting: Setting | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """One diagnosis with its score and the share of every observed finding that moved it."""

    diagnosis: Diagnosis
    score: float
    """Natural-log odds up to a constant common to all diagnoses of this patient."""
    probability: float
    """Share of this diagnosis among all; uncalibrated."""
    shares: Mapping[str, float]
    """Finding id, or the key of a told sentence -> natural-log odds it adds."""
    meant: Callable[[], Mapping[str, str]] = dict
    """Finding id -> the finding that its words most count as for this diagnosis, where they may mean several."""


class _Shares(Mapping[str, float]):
    """The shares of one diagnosis, put together when they are asked for: a thousand diagnoses are ranked, a handful shown."""

    __slots__ = ("_column", "_findings", "_known")

    def __init__(self, findings: Sequence[str], column: Floats) -> None:
        self._findings, self._column = findings, column
        self._known: dict[str, float] | None = None

    def _all(self) -> dict[str, float]:
        if self._known is None:
            pairs = zip(self._findings, self._column.tolist(), strict=True)
            self._known = {finding: share for finding, share in pairs if abs(share) > _NOTHING}
        return self._known

    def __getitem__(self, finding: str) -> float:
        return self._all()[finding]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def told_key(place: int) -> str:
    """Names the told sentence at `place` of ChartFindings.told among the shares."""
    return f"told {place}"


def told_place(key: str) -> int | None:
    """The place that `told_key` named; None for a finding."""
    return int(key.removeprefix("told ")) if key.startswith("told ") else None


class Reasoner:
    """Ranks the diagnoses of one knowledge; its tables are built once per process."""

    def __init__(
        self, knowledge: Knowledge, tables: ShareTables | None = None, matcher: CaseMatcher | None = None
    ) -> None:
        """tables: the compiled ones of this knowledge; None = built here with the default weights. matcher: weighs what sentences
        say as a whole; None = they say nothing."""
        self.knowledge = knowledge
        self._matcher = matcher.of(list(knowledge.diagnoses)) if matcher else None
        self._tables = tables or ShareTables.of(knowledge)
        self._weights = weights = self._tables.weights
        self._diagnoses = list(knowledge.diagnoses.values())
        self._column = {diagnosis.id: index for index, diagnosis in enumerate(self._diagnoses)}
        self._weigher = Weigher(knowledge, self._tables)
        self._prior = np.array([weights.prior[d.frequency] for d in self._diagnoses], dtype=np.float32)
        self._age = _Ages(self._diagnoses)
        self._onset = np.array([ONSETS.index(diagnosis.onset) for diagnosis in self._diagnoses])
        self._sex_excludes = _sex_excludes(self._diagnoses)
        self._setting = _setting_fits(self._diagnoses, self._prior, weights.setting)

    def rank(self, found: ChartFindings, patient: Patient) -> list[Ranked]:
        """All possible diagnoses, best first; without any observed finding by frequency, age and sex alone.

        Raises ScoresNotFinite where the model gives shares or scores that are none.
        """
        weighed = self.weighed(found)
        shares = np.concatenate([weighed.shares, self._told(found)])
        scores = self.beforehand(found, patient) + shares.sum(axis=0)
        # Age and sex alone may exclude (-inf): anything else that is no number would drop a diagnosis unseen.
        if not np.isfinite(shares).all() or np.isnan(scores).any() or np.isposinf(scores).any():
            raise ScoresNotFinite("the scores of the diagnoses are no numbers")
        possible = np.isfinite(scores)
        if not possible.any():
            return []
        odds = np.exp(scores - scores[possible].max())
        probabilities = odds / odds.sum()
        findings = [*weighed.findings, *(told_key(place) for place in range(len(found.told)))]
        order = np.argsort(-scores, kind="stable")
        columns = np.ascontiguousarray(shares.T)
        return [
            Ranked(
                self._diagnoses[i],
                float(scores[i]),
                float(probabilities[i]),
                _Shares(findings, columns[i]),
                partial(weighed.meant, int(i)),
            )
            for i in order
            if possible[i]
        ]

    def weighed(self, found: ChartFindings) -> Weighed:
        """What the observed findings say, each as far as it is trusted."""
        return self._weigher.weigh(found)

    def beforehand(self, found: ChartFindings, patient: Patient) -> Floats:
        """[diagnoses]: log odds before any finding is weighed; -inf where age or sex excludes."""
        return np.asarray(self._prior + self._fits(patient) + self._naming(found), np.float32)

    def share(self, diagnosis: str, finding: str) -> float:
        """P(finding | diagnosis) as the knowledge has it, the background rate where it is silent."""
        listed = self.knowledge.diagnoses[diagnosis].shares.get(finding)
        return listed if listed is not None else self.knowledge.findings[finding].background

    def _told(self, found: ChartFindings) -> Floats:
        """[sentences, diagnoses]: what sentences say as a whole."""
        if self._matcher is None:
            return np.zeros((len(found.told), len(self._diagnoses)), np.float32)
        return self._matcher.moved([told.figures for told in found.told])

    def _fits(self, patient: Patient) -> Floats:
        """[diagnoses]: how age, sex, onset and setting fit; -inf where age or sex excludes."""
        fits = np.where(self._sex_excludes[patient.sex], np.float32(-np.inf), np.float32(0))
        if patient.age_years is not None:
            fits = fits + self._age.fit(patient.age_years)
        if patient.onset is not None:
            fits = fits + _ONSET_FITS[np.abs(self._onset - ONSETS.index(patient.onset))]
        if patient.setting is not None:
            fits = fits + self._setting[patient.setting]
        return fits.astype(np.float32)

    def _naming(self, found: ChartFindings) -> Floats:
        naming = np.zeros(len(self._diagnoses), dtype=np.float32)
        for diagnosis, ways in found.named.items():
            if Assertion.ABSENT in ways and not ways.keys() & {Assertion.PRESENT, Assertion.POSSIBLE}:
                naming[self._column[diagnosis]] = self._weights.denied
        return naming


class _Ages:
    """The age ranges of all diagnoses. Within the typical ages a narrow range speaks for, outside them it speaks
    against, outside the possible ones it excludes."""

    def __init__(self, diagnoses: Sequence[Diagnosis]) -> None:
        self._low, self._high = np.array([d.age.typical for d in diagnoses]).reshape(-1, 2).T
        self._youngest, self._oldest = np.array([d.age.possible for d in diagnoses]).reshape(-1, 2).T
        self._narrowness = 0.3 * np.log(90 / np.maximum(5.0, self._high - self._low))

    def fit(self, age: float) -> NDArray[np.float64]:
        """[diagnoses]: what an age in years adds."""
        below = (self._low - age) / np.maximum(self._low, 1.0)
        above = (age - self._high) / np.maximum(20.0, self._high)
        outside = -0.5 - 1.5 * np.minimum(1.0, np.where(age < self._low, below, above))
        fit = np.where((self._low <= age) & (age <= self._high + 1), self._narrowness, outside)
        return np.where((self._youngest <= age) & (age <= self._oldest + 1), fit, -np.inf)


def _sex_excludes(diagnoses: Sequence[Diagnosis]) -> dict[Sex, NDArray[np.bool_]]:
    """Sex of the patient -> [diagnoses]: which are the other sex's."""
    sexes = np.array([diagnosis.sex for diagnosis in diagnoses])
    return {
        "female": sexes == "male",
        "male": sexes == "female",
        "unknown": np.zeros(len(diagnoses), dtype=np.bool_),
    }


def _setting_fits(diagnoses: Sequence[Diagnosis], prior: Floats, weight: float) -> dict[Setting, NDArray[np.float64]]:
    """Setting -> [diagnoses]: how much more often its patients are seen there than all patients are."""
    settings = get_args(Setting)
    mix = np.exp(prior) / np.exp(prior).sum()
    usual = {
        setting: sum(m * d.setting.get(setting, 0.0) for m, d in zip(mix, diagnoses, strict=True))
        for setting in settings
    }
    return {
        setting: np.array(
            [
                weight * log(max(d.setting.get(setting, 0.0), _RAREST_SETTING) / max(usual[setting], _RAREST_SETTING))
                if d.setting
                else 0.0
                for d in diagnoses
            ]
        )
        for setting in settings
    }
