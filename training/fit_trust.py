"""How far each way of reading can be trusted, learned by what helps to find the diagnosis: `dxspan-train fit-trust`.

Reads our own development cases and invented charts in wordings that the encoder was not trained on, all the way of serving,
and fits the curve of concepts and the trust in names so that the right diagnosis gets the most probability (cross-entropy, held
near the hand-set figures). Half of the cases tell what the fit is worth on the other half. Writes
nlp_core/bundle/reading_trust.json.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

import nlp_core
from nlp_core.assessment import Language
from nlp_core.bundle_manifest import READING_TRUST
from nlp_core.chart import Chart, Sex
from nlp_core.chart_reading import ChartReader
from nlp_core.diagnoses import Reasoner
from nlp_core.findings import Observed
from nlp_core.knowledge import Knowledge
from nlp_core.language import language_of
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.note import Note
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.reading_trust import HAND_SET, ConceptTrust, ReadingTrust
from nlp_core.sentence_readings import SentenceEncoder
from training.command import Command
from training.measures.evaluate import category
from training.measures.own_cases import DEVELOPMENT, FOLDER, coded_chart, read_cases
from training.phrases import written_phrases
from training.synthetic_charts.charts import ChartWriter, WrittenChart
from training.synthetic_charts.wordings import Wordings

if TYPE_CHECKING:
    from torch import Tensor

SHIPPED = Path(nlp_core.__file__).parent / "bundle" / READING_TRUST
CASES = (DEVELOPMENT, FOLDER / "hard.jsonl")
LANGUAGES: tuple[Language, Language] = ("en", "zh")
CHINESE = 0.45
"""Share of the invented charts."""
_MIDDLE = 0.58
"""Likeness at which the curve's base is fitted: there it does not hang on the slope."""
_LOOSE = (1.0, 1.0, 5.0, 5.0, 0.5, 2.0)
"""How far each fitted figure may lie from the hand-set one at the same price: bases, slopes, commonness, names."""
_NAMED = 4.0
"""Log odds that a name means its finding, before the fit."""
_PRICE = 0.01
_LEAST = 1e-4
"""Probability that a right diagnosis is counted with at least: one that is excluded must not decide the fit."""
_EXCLUDED = -60.0
"""Log odds in place of minus infinity, whose slope is no number."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One chart as far as trust matters. F findings, M meanings of their words in all, D diagnoses (weighing.Weighed)."""

    ratios: Tensor
    """[M, D] natural-log ratios, each meaning trusted wholly."""
    owners: Tensor
    """[M]: whose meaning it is."""
    counted: Tensor
    """[F, D]: bool, by hand-set trust."""
    rest: Tensor
    """[D]: how common, age, sex, onset, setting."""
    concept: Tensor
    """[M]: is it known by a concept alone?"""
    likeness: Tensor
    """[M], of the concepts, less the middle."""
    chinese: Tensor
    """[M]: 1 where its words are."""
    commonness: Tensor
    """[M]: log10 of the background."""
    right: Tensor
    """[D]: bool."""


class Readings:
    """Reads charts with hand-set trust."""

    def __init__(self, bundle: Bundle) -> None:
        self.knowledge = bundle.knowledge()
        encoder = OnnxEncoder.open(bundle, threads=0)
        sentences = SentenceEncoder(encoder, bundle.tokenizer()) if encoder.has_heads else None
        second = bundle.second_reader_with(encoder, sentences, trust=HAND_SET)
        self._charts = ChartReader(self.knowledge, second, bundle.lexicons(), bundle.spelling())
        self._reasoner = Reasoner(self.knowledge, bundle.shares())
        self._categories = np.array([category(d.icd10cm) for d in self.knowledge.diagnoses.values()])

    def of(self, chart: Chart, right: set[str]) -> Reading:
        """right: three-character ICD-10-CM categories."""
        import torch

        read = self._charts.read(chart)
        weighed = self._reasoner.weighed(read.found)
        owners = [read.found.observed[weighed.findings[owner]] for owner in weighed.owners]
        likeness = [_likeness(one, meaning) for one, meaning in zip(owners, weighed.meanings, strict=True)]
        background = [self.knowledge.findings[meaning].background for meaning in weighed.meanings]
        before = self._reasoner.beforehand(read.found, read.patient)
        return Reading(
            ratios=torch.from_numpy(weighed.ratios),
            owners=torch.from_numpy(weighed.owners),
            counted=torch.from_numpy(weighed.counted),
            rest=torch.from_numpy(np.maximum(before, np.float32(_EXCLUDED))),
            concept=torch.tensor([bool(one.meanings) for one in owners], dtype=torch.bool),
            likeness=torch.tensor(likeness),
            chinese=torch.tensor([float(_is_chinese(one)) for one in owners]),
            commonness=torch.tensor([log(share, 10) for share in background]),
            right=torch.from_numpy(np.isin(self._categories, list(right))),
        )


def _likeness(one: Observed, meaning: str) -> float:
    return next((said.likeness - _MIDDLE for said in one.meanings if said.finding == meaning), 0.0)


def _is_chinese(one: Observed) -> bool:
    return language_of(one.sources[0].quote) == "zh"


def own_cases(readings: Readings) -> list[Reading]:
    """Our own development cases, in both languages."""
    languages: tuple[Language, ...] = ("en", "zh")
    cases = [(case, language) for path in CASES for case in read_cases(path) for language in languages]
    return [
        readings.of(coded_chart(case.text(language)), {category(gold.icd10) for gold in case.gold})
        for case, language in tqdm(cases, desc="own development cases", unit="case")
    ]


def invented_charts(readings: Readings, count: int, *, seed: int) -> list[Reading]:
    """Charts of one note, in wordings held apart from training."""
    knowledge = readings.knowledge
    wordings = Wordings(knowledge, written_phrases(knowledge), split="held_apart")
    writer = ChartWriter(knowledge, seed=seed, chinese=CHINESE, most_notes=1, wordings=wordings)
    written = tqdm(writer.charts(count), total=count, desc="invented charts", unit="chart")
    return [readings.of(_chart_of(chart), {category(chart.story.diagnosis.icd10cm)}) for chart in written]


def _chart_of(written: WrittenChart) -> Chart:
    (note,), (date,) = written.notes, written.dates
    told = Note(reference=f"DocumentReference/{written.number}", text=note.text, kind=note.kind, date=date)
    sex: Sex = "female" if written.story.sex == "female" else "male"
    return Chart(age_years=written.story.age_years, sex=sex, as_of=date, notes=(told,))


def loss(read: Sequence[Reading], figures: Tensor) -> Tensor:
    """Mean cross-entropy of the right diagnoses. figures: as `_hand_set` orders them."""
    import torch

    said = [torch.log_softmax(_scores(one, figures), 0) for one in read]
    right = [
        torch.logsumexp(chances[one.right], 0) if bool(one.right.any()) else torch.tensor(log(_LEAST))
        for one, chances in zip(read, said, strict=True)
    ]
    return -torch.clamp(torch.stack(right), min=log(_LEAST)).mean()


def _scores(one: Reading, figures: Tensor) -> Tensor:
    """[diagnoses], as diagnoses.Reasoner adds them up."""
    import torch

    base_en, base_zh, slope_en, slope_zh, commonness, named = figures
    base = base_en + (base_zh - base_en) * one.chinese
    slope = slope_en + (slope_zh - slope_en) * one.chinese
    odds = torch.where(one.concept, base + slope * one.likeness + commonness * one.commonness, named).exp()
    findings = one.counted.shape[0]
    whole = 1 + torch.zeros(findings).index_add(0, one.owners, odds)
    likely = (odds / whole[one.owners])[:, None]
    shares = torch.log1p(
        torch.zeros_like(one.counted, dtype=odds.dtype).index_add(0, one.owners, likely * torch.expm1(one.ratios))
    )
    return one.rest + (shares * one.counted).sum(0)


def _hand_set() -> Tensor:
    """[6]: bases at the middle likeness (English, Chinese), slopes (the same), commonness, log odds of names."""
    import torch

    curve = HAND_SET.concept
    bases = [curve.base[language] + curve.likeness[language] * _MIDDLE for language in LANGUAGES]
    return torch.tensor([*bases, *(curve.likeness[language] for language in LANGUAGES), curve.commonness, _NAMED])


def fit(groups: Sequence[Sequence[Reading]]) -> Tensor:
    """The figures at which the groups' mean loss and the price of leaving the hand-set ones are least together."""
    import torch

    begun = _hand_set()
    moved = torch.zeros_like(begun).requires_grad_(True)
    optimizer = torch.optim.LBFGS([moved], lr=0.5, max_iter=25, line_search_fn="strong_wolfe")
    loose = torch.tensor(_LOOSE)

    def closure() -> float:
        optimizer.zero_grad()
        losses = torch.stack([loss(group, begun + moved * loose) for group in groups])
        total = losses.mean() + _PRICE * (moved**2).sum()
        total.backward()  # type: ignore[no-untyped-call]  # torch's own
        return float(total.detach())

    optimizer.step(closure)  # type: ignore[no-untyped-call]  # torch's own
    return (begun + moved * loose).detach()


def trust_of(figures: Tensor, fitted_on: str, charts: int, knowledge: Knowledge) -> ReadingTrust:
    """The figures as serving takes them."""
    base_en, base_zh, slope_en, slope_zh, commonness, named = (float(figure) for figure in figures)
    return ReadingTrust(
        fitted_on=fitted_on,
        charts=charts,
        ways={"name": round(1 / (1 + exp(-named)), 4)},
        concept=ConceptTrust(
            base={"en": round(base_en - slope_en * _MIDDLE, 3), "zh": round(base_zh - slope_zh * _MIDDLE, 3)},
            likeness={"en": round(slope_en, 3), "zh": round(slope_zh, 3)},
            commonness=round(commonness, 4),
        ),
        knowledge_version=knowledge.version,
    )


def told(own: Sequence[Reading], charts: Sequence[Reading], fitted: Tensor) -> Iterator[str]:
    """What the fit is worth, in lines for a reader."""
    hand = _hand_set()
    for name, read in (("own development cases", own), ("invented charts", charts)):
        yield f"{name}: cross-entropy {float(loss(read, hand)):.3f} hand-set, {float(loss(read, fitted)):.3f} fitted"
    apart = []
    for half in (0, 1):
        figures = fit([own[half::2], charts[half::2]])
        rest = [*own[1 - half :: 2]], [*charts[1 - half :: 2]]
        apart.append([float(loss(read, hand)) - float(loss(read, figures)) for read in rest])
    gained = np.mean(apart, axis=0)
    yield f"fitted on one half, gained on the other: own {gained[0]:+.3f}, invented {gained[1]:+.3f}"


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--charts", type=int, default=400, help="invented charts, beside our own development cases")
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--bundle", type=Path, help="composed bundle to fit it for (default: the shipped one)")
    parser.add_argument("--write", type=Path, default=SHIPPED, help="file to write (default: the shipped bundle's)")


def _run(options: Namespace) -> int:
    if options.charts < 2:
        raise ValueError("--charts must be at least 2")
    readings = Readings(Bundle.open(options.bundle or composed_bundle_path()))
    own, charts = own_cases(readings), invented_charts(readings, options.charts, seed=options.seed)
    fitted = fit([own, charts])
    on = f"{len(own)} own development cases and {len(charts)} invented charts"
    learned = trust_of(fitted, on, len(charts), readings.knowledge)
    options.write.write_text(learned.model_dump_json(indent=1) + "\n", encoding="utf-8")
    for line in told(own, charts, fitted):
        print(line)
    return 0


COMMAND = Command(
    "fit-trust", "learn how far each way of reading can be trusted, by the diagnoses found", _arguments, _run
)
