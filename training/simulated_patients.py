"""Invented patients drawn from the knowledge and written down as short plain notes, with their diagnosis as gold.

What the knowledge says of a disease is blurred for each patient (shares are estimates), some findings are never asked,
some are denied wrongly, and complaints that have nothing to do with it are added. Used to calibrate and to check the
reasoner; the full chart writer of the training text is another matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import exp, log

import numpy as np

from nlp_core.assessment import Language
from nlp_core.chart import Chart, Setting
from nlp_core.knowledge import Diagnosis, Frequency, Knowledge, Onset
from nlp_core.note import Note
from nlp_core.onset import ONSETS

_WEIGHT: dict[Frequency, float] = {"very_common": 8, "common": 5, "uncommon": 3, "rare": 2, "very_rare": 1}
"""How often a diagnosis is drawn: rare ones more often than in life, so that they are calibrated too."""
_SHARE_BLUR = 0.6
"""Standard deviation of the noise on a share's log odds."""
_WRONG_DENIAL = 0.03
_UNRELATED = 1.2
"""Mean number of unrelated complaints."""
_SECOND_TOLD = 0.7
"""Of a second illness so much is told, of what is told of the first."""
_SECOND_DRAWN = 6
"""Illnesses drawn until one is not the other sex's."""
_OTHER_SPEED = 0.3
"""Share of patients whose illness came a step faster or slower than the knowledge says."""
_DURATIONS: dict[Onset, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sudden": (("It began suddenly.", "Sudden onset."), ("突然起病。", "突发起病。")),
    "hours": (("It began 6 hours ago.", "For 12 hours."), ("6小时前起病。", "病程10小时。")),
    "days": (("For 3 days.", "It began 5 days ago."), ("病程4天。", "3天前起病。")),
    "weeks": (("For 3 weeks.", "It began 4 weeks ago."), ("病程3周。", "4周前起病。")),
    "months": (("For 4 months.", "Over the past 6 months."), ("病程5个月。", "半年来。")),
    "years": (("For 3 years.", "Over the past 5 years."), ("病程3年。", "5年来。")),
}
_PLACES: dict[Setting, tuple[str, str]] = {
    "ambulatory": ("Seen in the clinic.", "门诊就诊。"),
    "emergency": ("Seen in the emergency department.", "急诊就诊。"),
    "inpatient": ("Seen as an inpatient.", "住院患者。"),
}
_TODAY = datetime(2026, 1, 15, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SimulatedPatient:
    """A chart of one note, the diagnosis it was drawn from, and the part of the findings that was written down."""

    chart: Chart
    diagnosis: Diagnosis
    known: float


def simulated_patients(
    knowledge: Knowledge,
    count: int,
    *,
    seed: int,
    known: tuple[float, float] = (0.3, 1.0),
    second_illness: float = 0.0,
) -> Iterator[SimulatedPatient]:
    """Draws `count` patients. known: range of the share of findings that make it into the note, 0 to 1. second_illness:
    share of patients in whose notes findings of another illness stand too, as real charts hold more than one.
    """
    random = np.random.default_rng(seed)
    for diagnosis in drawn_diagnoses(knowledge, count, random):
        yield _patient(diagnosis, knowledge, random, float(random.uniform(*known)), second_illness)


def drawn_diagnoses(knowledge: Knowledge, count: int, random: np.random.Generator) -> list[Diagnosis]:
    """`count` diagnoses, common ones more often, rare ones more often than in life."""
    diagnoses = list(knowledge.diagnoses.values())
    weights = np.array([_WEIGHT[diagnosis.frequency] for diagnosis in diagnoses])
    return [diagnoses[index] for index in random.choice(len(diagnoses), size=count, p=weights / weights.sum())]


def _patient(
    diagnosis: Diagnosis, knowledge: Knowledge, random: np.random.Generator, known: float, second_illness: float
) -> SimulatedPatient:
    language: Language = "zh" if random.random() < 0.3 else "en"
    age = drawn_age(diagnosis, random)
    sex = diagnosis.sex if diagnosis.sex != "any" else str(random.choice(["female", "male"]))
    present, absent = drawn_findings(diagnosis, knowledge, random, known)
    if second_illness and random.random() < second_illness:
        present, absent = _with_second_illness(present, absent, sex, knowledge, random, known)
    text = _note(
        language,
        age,
        sex,
        _circumstances(diagnosis, language, random, known),
        _names(present, knowledge, language, random),
        _names(absent, knowledge, language, random),
    )
    note = Note(reference="DocumentReference/simulated", text=text, date=_TODAY)
    chart = Chart(age_years=age, sex="female" if sex == "female" else "male", as_of=_TODAY, notes=(note,))
    return SimulatedPatient(chart, diagnosis, known)


def drawn_age(diagnosis: Diagnosis, random: np.random.Generator) -> float:
    """Years, mostly among the typical ones."""
    low, high = diagnosis.age.typical if random.random() < 0.85 else diagnosis.age.possible
    return round(float(random.uniform(low, min(high, 95))), 2)


def drawn_onset(diagnosis: Diagnosis, random: np.random.Generator) -> Onset:
    """How it came: as the knowledge says, or a step faster or slower."""
    step = int(random.choice([-1, 1])) if random.random() < _OTHER_SPEED else 0
    return ONSETS[min(max(ONSETS.index(diagnosis.onset) + step, 0), len(ONSETS) - 1)]


def drawn_setting(diagnosis: Diagnosis, random: np.random.Generator) -> Setting | None:
    """Where the patient is seen; None where the knowledge does not say."""
    if not diagnosis.setting:
        return None
    places = list(diagnosis.setting)
    shares = np.array([diagnosis.setting[place] for place in places])
    return places[int(random.choice(len(places), p=shares / shares.sum()))]


def _circumstances(diagnosis: Diagnosis, language: Language, random: np.random.Generator, known: float) -> str:
    """How the illness came and where the patient is seen, each with the chance that anything of the patient is known."""
    chinese = language == "zh"
    said = []
    if random.random() < known:
        said.append(str(random.choice(_DURATIONS[drawn_onset(diagnosis, random)][chinese])))
    if diagnosis.setting and random.random() < known:
        place = drawn_setting(diagnosis, random)
        said += [_PLACES[place][chinese]] if place else []
    return ("" if chinese else " ").join(said)


def drawn_findings(
    diagnosis: Diagnosis, knowledge: Knowledge, random: np.random.Generator, known: float
) -> tuple[list[str], list[str]]:
    """(present, absent) findings that are written down."""
    present, absent = [], []
    for finding, share in diagnosis.shares.items():
        if finding not in knowledge.findings or random.random() > known:
            continue
        has_it = random.random() < _blurred(share, random)
        if has_it and random.random() > _WRONG_DENIAL:
            present.append(finding)
        elif random.random() < 0.4:
            absent.append(finding)
    implied = {ancestor for finding in present for ancestor in knowledge.ancestors(finding)}
    absent = [finding for finding in absent if finding not in implied]  # who has pleuritic chest pain has chest pain
    background = list(knowledge.findings)
    rates = np.array([knowledge.findings[finding].background for finding in background])
    extra = random.choice(background, size=random.poisson(_UNRELATED), replace=False, p=rates / rates.sum())
    present += [str(finding) for finding in extra if finding not in diagnosis.shares]
    random.shuffle(present)
    return present, absent


def _with_second_illness(
    present: list[str], absent: list[str], sex: str, knowledge: Knowledge, random: np.random.Generator, known: float
) -> tuple[list[str], list[str]]:
    """Findings of another illness among the first one's; less of it is told."""
    drawn = drawn_diagnoses(knowledge, _SECOND_DRAWN, random)
    second = next((diagnosis for diagnosis in drawn if diagnosis.sex in ("any", sex)), None)
    if second is None:
        return present, absent
    others, _ = drawn_findings(second, knowledge, random, _SECOND_TOLD * known)
    together = list(dict.fromkeys([*present, *others]))
    random.shuffle(together)
    return together, [finding for finding in absent if finding not in together]


def _blurred(share: float, random: np.random.Generator) -> float:
    odds = log(share / (1 - share)) + random.normal(0, _SHARE_BLUR)
    return 1 / (1 + exp(-odds))


def _names(findings: list[str], knowledge: Knowledge, language: Language, random: np.random.Generator) -> list[str]:
    names = []
    for finding in findings:
        entry = knowledge.findings[finding].names
        names.append(str(random.choice(entry.zh if language == "zh" else entry.en)))
    return names


def _note(language: Language, age: float, sex: str, circumstances: str, present: list[str], absent: list[str]) -> str:
    if language == "zh":
        who = f"患者{'女' if sex == 'female' else '男'}性，{_age_words(age, language)}。"
        said = "".join(f"{name}。" for name in present)
        return who + circumstances + said + (f"无{'、'.join(absent)}。" if absent else "")
    who = f"{_age_words(age, language)} {sex}.\n"
    said = "".join(f"{name[0].upper()}{name[1:]}.\n" for name in present)
    return (
        who
        + (f"{circumstances}\n" if circumstances else "")
        + said
        + (f"Denies {', '.join(absent)}." if absent else "")
    )


def _age_words(age: float, language: Language) -> str:
    if age >= 2:
        return f"{int(age)}岁" if language == "zh" else f"{int(age)}-year-old"
    months = max(1, round(age * 12))
    return f"{months}个月" if language == "zh" else f"{months}-month-old"
