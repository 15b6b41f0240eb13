"""What charts of each diagnosis read like, learned and measured: `dxspan-train fit-matcher`.

Reads the cases of training/cases the serving way, learns on five of six (of each diagnosis one case is kept apart) to measure, and on all
for nlp_core/bundle/case_matcher.safetensors. Our own development cases, by other writers, are measured beside. Run again after
training, as `fit-linker`: a matcher is good for the heads it was learned behind alone. Then compose, and calibrate anew.
"""

from __future__ import annotations

import zlib
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nlp_core.assess import Reader
from nlp_core.assessment import Language
from nlp_core.bundle_manifest import HEAD_WEIGHTS, MATCHER
from nlp_core.case_matcher import CaseMatcher
from nlp_core.chart import Chart
from nlp_core.model_bundle import SHIPPED_BUNDLE, Bundle, composed_bundle_path
from nlp_core.onnx_encoder import OnnxEncoder
from training.command import Command, deliver
from training.matching.case_readings import ReadCase, read_charts
from training.matching.cases import FOLDER, STYLES, Style, TrainingCase, read_cases
from training.matching.diagnosis_texts import diagnosis_vectors
from training.measures.evaluate import Ranks, category, rank_of
from training.measures.own_cases import DEVELOPMENT, ENCOUNTERS_DEVELOPMENT, coded_chart
from training.measures.own_cases import FOLDER as OWN_FOLDER
from training.measures.own_cases import read_cases as own_cases
from training.prepare.prepared_note import Split
from training.site.prepared_folders import Site, sites_of, tell_bad_lines
from training.site.site_notes import SiteNote, chart_of, read_site_notes

SHIPPED = SHIPPED_BUNDLE / MATCHER
OWN = {
    "development cases": DEVELOPMENT,
    "harder ones": OWN_FOLDER / "hard.jsonl",
    "encounter notes": ENCOUNTERS_DEVELOPMENT,
}
"""Written by others than the cases, for other ends, and not learned from here."""
_SAID: dict[Style, str] = {
    "vignette": "vignettes", "note": "notes", "message": "messages", "chart": "charts", "intake": "intakes",
    "chinese": "cases in Chinese",
}  # fmt: skip
_LANGUAGES: tuple[tuple[Language, str], ...] = (("en", "English"), ("zh", "Chinese"))


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A read case and the categories that are right."""

    read: ReadCase
    right: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answered:
    """Of several cases: share with a right category first, within three, and the mean natural-log loss of the right ones."""

    cases: int
    first: float
    within_three: float
    loss: float

    def cells(self) -> str:
        return f"{100 * self.first:.1f} | {100 * self.within_three:.1f} | {self.loss:.3f}"


def is_apart(case: TrainingCase) -> bool:
    """One case of each diagnosis, of a style that hangs on its id."""
    return STYLES[zlib.crc32(case.diagnosis.encode()) % len(STYLES)] == case.style


def answered(asked: Sequence[Asked], categories: NDArray[np.str_], matcher: CaseMatcher | None) -> Answered:
    """How well findings alone (None), or with the matcher, find what is right. categories: [D]."""
    ranks, losses = [], []
    for one in asked:
        moved = matcher.moved(list(one.read.figures)).sum(axis=0) if matcher else 0
        scores = one.read.scores + moved
        odds = np.exp(scores - scores.max())
        right = np.isin(categories, list(one.right))
        losses.append(-np.log(max(float(odds[right].sum() / odds.sum()), 1e-4)))
        best = categories[np.argsort(-scores, kind="stable")].tolist()
        ranks.append(rank_of([("", name, 0.0) for name in best], set(one.right)))
    found = Ranks(tuple(ranks), in_scope=len(ranks))
    return Answered(len(asked), found.top(1), found.top(3), float(np.mean(losses)))


def page(rows: Iterable[tuple[str, Answered, Answered]], *, cases: int, notes: int, diagnoses: int, model: str) -> str:
    """docs/matching.md. rows: what was asked, answered by findings alone, and with the matcher. notes: a site's, learned from."""
    besides = [f"Learned from besides: {notes:,} coded notes of the site.", ""] if notes else []
    lines = [
        "# What charts of each diagnosis read like",
        "",
        f"Written by `make matcher` (`dxspan-train fit-matcher`), on the heads of model {model}. {cases:,} short cases of {diagnoses:,}",
        "diagnoses, written by the project (training/cases), teach a second opinion beside the findings: each sentence of a chart,",
        "as the encoder reads it, counts for diagnoses whose cases read alike (nlp_core/case_matcher.py). Rows of the cases themselves are of those",
        "kept apart, one for each diagnosis, by the same writers; our own development cases are by others. First, within three (%, by",
        "category) and log loss of the right diagnosis, uncalibrated:",
        "",
        *besides,
        "| asked | texts | findings alone | | | with the matcher | | |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [f"| {name} | {alone.cases} | {alone.cells()} | {both.cells()} |" for name, alone, both in rows]
    return "\n".join([*lines, ""])


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, help="composed bundle (default: the one set-up composes)")
    parser.add_argument("--cases", type=Path, default=FOLDER, help="folder of cases (default: %(default)s)")
    parser.add_argument(
        "--prepared", action="append", default=[], metavar="FOLDER",
        help="notes that `prepare` wrote, to be learned from besides, each as a case of its coded diagnoses; may be given again",
    )  # fmt: skip
    parser.add_argument("--most", type=int, default=5000, help="notes of all folders at most (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the matcher goes (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", type=Path, help="Markdown page (default: print)")


def _run(options: Namespace) -> int:
    path = options.bundle or composed_bundle_path()
    bundle = Bundle.open(path)
    if HEAD_WEIGHTS not in bundle.manifest.files:
        raise ValueError(f"the model at {bundle.path} has no heads: it reads no sentences")
    sites = sites_of(options.prepared)
    fitting = Fitting(bundle, Reader.load(path, calibrated=False), seed=options.seed)
    cases = read_cases(options.cases, fitting.place)
    notes = fitting.site_notes(sites, "train", options.most) if sites else []
    taught = [*fitting.cases(cases), *notes]
    rows = list(fitting.kept_apart(cases, taught[: len(cases)]))
    matcher = fitting.matcher(taught)
    rows += [(name, *fitting.both_ways(own, matcher)) for name, own in _own(fitting)]
    if sites:
        rows.append(
            ("the prepared notes, development", *fitting.both_ways(fitting.site_asked(sites, options.most), matcher))
        )
    matcher.save(options.out)
    diagnoses = len({one.diagnosis for one in taught})
    told = page(rows, cases=len(cases), notes=len(notes), diagnoses=diagnoses, model=bundle.model_version)
    deliver(told, options.write)
    return 0


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """A read text and the place of its diagnosis in the knowledge."""

    read: ReadCase
    diagnosis: int


Row = tuple[str, Answered, Answered]


class Fitting:
    """One run: what reads, where diagnoses begin, and what is learned from where."""

    def __init__(self, bundle: Bundle, reader: Reader, *, seed: int) -> None:
        self._reader, self._seed = reader, seed
        self._knowledge, self._width = bundle.knowledge(), bundle.manifest.width
        self._heads = bundle.manifest.files[HEAD_WEIGHTS].sha256
        self._vectors = diagnosis_vectors(self._knowledge, OnnxEncoder.open(bundle, threads=0).embed)
        self.place = {diagnosis: at for at, diagnosis in enumerate(self._knowledge.diagnoses)}
        codes = [category(diagnosis.icd10cm) for diagnosis in self._knowledge.diagnoses.values()]
        self._categories = np.array(codes)

    def read(self, charts: Sequence[Chart], said: str) -> list[ReadCase]:
        """Charts read the serving way, with progress."""
        return list(read_charts(self._reader, tqdm(charts, desc=said, unit="text"), self._width))

    def cases(self, cases: Sequence[TrainingCase]) -> list[Taught]:
        """Cases, read."""
        read = self.read([coded_chart(case.text) for case in cases], "cases")
        return [Taught(one, self.place[case.diagnosis]) for one, case in zip(read, cases, strict=True)]

    def site_notes(self, sites: Sequence[Site], split: Split, most: int) -> list[Taught]:
        """A site's notes of a split, read; one that has several coded diagnoses once for each."""
        coded = self._read_notes(sites, split, most)
        return [Taught(one, self.place[d.id]) for one, note in coded for d in note.note.diagnoses if d.id in self.place]

    def site_asked(self, sites: Sequence[Site], most: int) -> list[Asked]:
        """A site's development notes and what is right of each."""
        return [Asked(one, note.right) for one, note in self._read_notes(sites, "development", most)]

    def _read_notes(self, sites: Sequence[Site], split: Split, most: int) -> list[tuple[ReadCase, SiteNote]]:
        found = read_site_notes(sites, split, most=most)
        tell_bad_lines(found.bad)
        read = self.read([chart_of(one.note, self._knowledge) for one in found.notes], f"notes, {split}")
        return list(zip(read, found.notes, strict=True))

    def matcher(self, taught: Sequence[Taught]) -> CaseMatcher:
        """Learned on these."""
        from training.matching.network import learned  # torch

        network = learned(
            [one.read for one in taught], [one.diagnosis for one in taught], self._vectors, seed=self._seed
        )
        return network.matcher(list(self.place), self._heads)

    def both_ways(self, asked: Sequence[Asked], matcher: CaseMatcher) -> tuple[Answered, Answered]:
        """Answered by findings alone, and with the matcher."""
        own = matcher.of(list(self.place))
        return answered(asked, self._categories, None), answered(asked, self._categories, own)

    def kept_apart(self, cases: Sequence[TrainingCase], taught: Sequence[Taught]) -> Iterator[Row]:
        """A row for each style: the cases kept apart, by a matcher learned on the others."""
        pairs = list(zip(cases, taught, strict=True))
        matcher = self.matcher([one for case, one in pairs if not is_apart(case)])
        for style in STYLES:
            apart = [one for case, one in pairs if is_apart(case) and case.style == style]
            asked = [Asked(one.read, frozenset({str(self._categories[one.diagnosis])})) for one in apart]
            if asked:
                yield (_SAID[style], *self.both_ways(asked, matcher))


def _own(fitting: Fitting) -> Iterator[tuple[str, list[Asked]]]:
    for name, path in OWN.items():
        cases = own_cases(path)
        right = [frozenset(category(gold.icd10) for gold in case.gold) for case in cases]
        for language, said in _LANGUAGES:
            called = f"{name}, {said}"
            read = fitting.read([coded_chart(case.text(language)) for case in cases], called)
            yield called, [Asked(*pair) for pair in zip(read, right, strict=True)]


COMMAND = Command("fit-matcher", "learn what charts of each diagnosis read like, on cases", _arguments, _run)
