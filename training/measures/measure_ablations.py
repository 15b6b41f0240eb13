"""`dxspan-train measure-ablations`: what each part of the reading adds, by leaving it out.

Reads the evaluation sets and our own cases with the names alone, with the encoder alone (the case matcher over
the sentences, no findings), with both, with each part switched off, and with an int8 bundle. Writes figures as JSON;
`dxspan-train evaluate` puts them on its page.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from tqdm import tqdm

from nlp_core.assess import Reader
from nlp_core.chart import Chart
from nlp_core.findings import ChartFindings
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.second_reader import HeadsUsed
from training.command import Command
from training.measures.evaluate import SETS, asked_rows, category, rank_of
from training.measures.own_cases import coded_chart, read_cases
from training.measures.remembering_reader import RememberingSentences, remembering_reader

ENCODER_ALONE = "encoder alone: the case matcher without findings"
LINKER_OFF = "linker off: the curve over likeness"
VARIANTS: Mapping[str, HeadsUsed | None] = {
    "names and rules alone, no encoder": None,
    "both, as shipped": HeadsUsed(),
    "finding head off": HeadsUsed(finding=False),
    "assertion head off": HeadsUsed(assertion=False),
    "case matcher off": HeadsUsed(cases=False),
    "all of them off": HeadsUsed(False, False, False),
}
"""Name -> which heads count; None = the encoder reads nothing."""
Diagnose = Callable[[Chart], Sequence[str]]
"""Chart -> ICD-10-CM codes, best first."""
_MOST = 50


class Ablations(BaseModel):
    """Figures in percent: variant -> set -> (top-1, top-3)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    knowledge: str
    figures: dict[str, dict[str, tuple[float, float]]]


Texts = dict[str, list[tuple[Chart, set[str]]]]
"""Set -> charts with the accepted categories."""


def read_texts(folder: Path) -> Texts:
    """The evaluation sets of a folder, and our own test cases by language."""
    texts: Texts = {name: [(coded_chart(text), gold) for text, gold in asked_rows(folder, name)] for name in SETS}
    for language in ("en", "zh"):
        texts[f"own cases, {language}"] = [
            (coded_chart(case.zh if language == "zh" else case.en), {category(gold.icd10) for gold in case.gold})
            for case in read_cases()
        ]
    return texts


def measure(texts: Texts, int8: Path | None) -> Ablations:
    """Every variant over every set. int8: a composed bundle of that precision; None leaves it out."""
    bundle = Bundle.open(composed_bundle_path())
    figures = {}
    for name, diagnose in _variants(bundle, int8):
        figures[name] = {
            which: _tops(diagnose, rows) for which, rows in tqdm(texts.items(), desc=name, unit="set", leave=False)
        }
        tqdm.write(f"{name}: {figures[name]}")
    return Ablations(model=bundle.model_version, knowledge=bundle.knowledge().version, figures=figures)


def _variants(bundle: Bundle, int8: Path | None) -> Iterator[tuple[str, Diagnose]]:
    encoder = OnnxEncoder.open(bundle, threads=1)
    remembered = RememberingSentences(encoder, bundle.tokenizer()) if encoder.has_heads else None
    for name, used in VARIANTS.items():
        second = bundle.second_reader_with(encoder, remembered, used) if used else None
        yield name, _by(Reader.load(second=second, names_alone=used is None))
    if bundle.linker():
        by_likeness = bundle.second_reader_with(encoder, remembered, trust=bundle.reading_trust())
        yield LINKER_OFF, _by(Reader.load(second=by_likeness))
    if bundle.matcher():
        yield ENCODER_ALONE, _by_sentences(Reader.load(second=bundle.second_reader_with(encoder, remembered)))
    if int8:
        yield "both, int8", _by(remembering_reader(int8))


def _by(reader: Reader) -> Diagnose:
    def diagnose(chart: Chart) -> Sequence[str]:
        return [ranked.diagnosis.icd10cm for ranked, _ in reader.rank(chart)[:_MOST]]

    return diagnose


def _by_sentences(reader: Reader) -> Diagnose:
    """By what the case matcher makes of the sentences, how common the diagnosis is, age, sex and setting."""

    def diagnose(chart: Chart) -> Sequence[str]:
        read = reader.read(chart)
        ranked = reader.reasoner.rank(ChartFindings(told=read.found.told), read.patient)
        return [one.diagnosis.icd10cm for one in ranked[:_MOST]]

    return diagnose


def _tops(diagnose: Diagnose, rows: Sequence[tuple[Chart, set[str]]]) -> tuple[float, float]:
    ranks = [rank_of([("", code, 0.0) for code in diagnose(chart)], gold) for chart, gold in rows]
    first, third = (100 * sum(r is not None and r <= most for r in ranks) / len(ranks) for most in (1, 3))
    return round(first, 1), round(third, 1)


def lines(found: Ablations) -> Iterator[str]:
    """The section of docs/evaluation.md."""
    sets = list(next(iter(found.figures.values())))
    yield "## What each part adds"
    yield ""
    yield f"`dxspan-train measure-ablations`, model {found.model}, knowledge {found.knowledge}; top-1 / top-3 in percent, age, sex and"
    yield "setting coded as an EHR would have them."
    yield ""
    yield f"| variant | {' | '.join(sets)} |"
    yield f"|---|{'---|' * len(sets)}"
    for name, figures in found.figures.items():
        yield f"| {name} | {' | '.join(f'{figures[which][0]:g} / {figures[which][1]:g}' for which in sets)} |"
    yield ""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--texts", type=Path, required=True, help="folder with the evaluation sets (JSONL)")
    parser.add_argument("--int8", type=Path, help="a composed int8 bundle, to be measured beside")
    parser.add_argument("--write", type=Path, default=Path("docs/ablations.json"), help="default: %(default)s")


def _run(options: Namespace) -> int:
    found = measure(read_texts(options.texts), options.int8)
    options.write.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines(found)))
    return 0


COMMAND = Command("measure-ablations", "what names, encoder and each head add, by leaving them out", _arguments, _run)
