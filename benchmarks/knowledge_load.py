"""The compiled knowledge: how long it takes to load, how much memory it holds, how fast all its names are matched.

Loading runs in a fresh process and counts from files to a reasoner that can rank; imports stand apart, since a process
pays them once for everything. Matching stands beside the base encoder's tokenizer on the same text in the same run.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.section import Aim, Options, Section, alone

NOTE_BYTES = 3_000
ROUNDS = 60
LOADS = 5
AIM_LOAD_MS, AIM_MEMORY_MIB, AIM_MATCH_MS = 200.0, 100.0, 5.0


@dataclass(frozen=True, slots=True)
class Load:
    """Milliseconds and MiB from the bundle's files to what serving holds of the knowledge."""

    milliseconds: float
    memory_mib: float


@dataclass(frozen=True, slots=True)
class Match:
    """Milliseconds for one note of NOTE_BYTES on one thread, medians of ROUNDS."""

    tokens_ms: float
    """Cutting the text into words and stems."""
    names_ms: float
    """Looking all names up in them."""
    tokenizer_ms: float
    """The base encoder's WordPiece tokenizer (Rust) on the same text."""

    @property
    def whole_ms(self) -> float:
        return self.tokens_ms + self.names_ms


def measure_load() -> Load:
    """The median of LOADS fresh processes."""
    loads = []
    for _ in range(LOADS):
        said = subprocess.run(
            [sys.executable, "-m", "benchmarks.knowledge_load", "--load"], capture_output=True, text=True, check=True
        )
        loads.append(json.loads(said.stdout))
    return Load(*(statistics.median(column) for column in zip(*loads, strict=True)))


def load_once() -> tuple[float, float]:
    """(milliseconds, MiB) in this process, which must have loaded nothing yet."""
    from nlp_core.analytes import Thresholds
    from nlp_core.composed_findings import CompositionRules
    from nlp_core.diagnoses import Reasoner
    from nlp_core.model_bundle import Bundle, composed_bundle_path

    bundle = Bundle.open(composed_bundle_path())
    memory, began = _resident_mib(), time.perf_counter()
    knowledge, lexicons = bundle.knowledge(), bundle.lexicons()
    kept = (
        Reasoner(knowledge, bundle.shares()),
        CompositionRules(knowledge),
        Thresholds(knowledge.findings.values()),
        lexicons,
    )
    took = time.perf_counter() - began
    assert all(kept)
    return 1000 * took, _resident_mib() - memory


def measure_match() -> Match:
    """On the English sample charts, repeated to NOTE_BYTES."""
    from nlp_core.model_bundle import Bundle, composed_bundle_path
    from nlp_core.sections import sentences
    from nlp_core.words import blank_pipeline, doc_stems

    bundle = Bundle.open(composed_bundle_path())
    names, nlp, text = bundle.lexicons().names, blank_pipeline(), sample_text()
    tokenizer = bundle.tokenizer()
    read = [(s.span, [t.lower_ for t in s.span], doc_stems(s.span)) for s in sentences(text, nlp)]

    def cut() -> None:
        doc = nlp.make_doc(text)
        assert len([token.lower_ for token in doc]) == len(doc_stems(doc))

    def look_up() -> None:
        for _, words, stems in read:
            names.find(words, stems)

    return Match(_median_ms(cut), _median_ms(look_up), _median_ms(lambda: tokenizer.encode(text)))


def sample_text() -> str:
    """NOTE_BYTES of English notes from the sample charts."""
    import yaml

    import cds_hooks

    charts = sorted((Path(cds_hooks.__file__).parent / "demo_charts").glob("*.yaml"))
    notes = [note["text"] for chart in charts for note in yaml.safe_load(chart.read_text("utf-8"))["notes"]]
    english = "\n".join(text for text in notes if text.isascii())
    return (english * (NOTE_BYTES // len(english) + 1))[:NOTE_BYTES]


def section(_: Options) -> Section:
    """Measures, and says it."""
    load, match = measure_load(), measure_match()
    aims = [
        Aim("knowledge loaded", load.milliseconds, AIM_LOAD_MS, "ms"),
        Aim("knowledge, resident", load.memory_mib, AIM_MEMORY_MIB, "MiB"),
        Aim("names matched in a note of 3 kB", match.whole_ms, AIM_MATCH_MS, "ms"),
    ]
    return Section("The knowledge", list(_lines(load, match)), aims)


def _lines(load: Load, match: Match) -> Iterator[str]:
    yield "From the bundle's files to what serving holds of the knowledge (entries, names, tables of the reasoner), median of"
    yield f"{LOADS} fresh processes; and a note of {NOTE_BYTES / 1000:.0f} kB matched against all names on one thread, beside the base encoder's"
    yield "own tokenizer (Rust) on the same text:"
    yield ""
    yield "| figure | measured |"
    yield "|---|---:|"
    yield f"| load | {load.milliseconds:.0f} ms |"
    yield f"| resident | {load.memory_mib:.0f} MiB |"
    yield f"| words and stems | {match.tokens_ms:.1f} ms |"
    yield f"| names | {match.names_ms:.1f} ms |"
    yield f"| both | {match.whole_ms:.1f} ms |"
    yield f"| WordPiece tokenizer | {match.tokenizer_ms:.1f} ms |"
    yield f"| both / tokenizer | {match.whole_ms / match.tokenizer_ms:.1f} |"


def _median_ms(work: Callable[[], object]) -> float:
    times = []
    work()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


if __name__ == "__main__":
    if "--load" in sys.argv:
        print(json.dumps(load_once()))
    else:
        sys.exit(alone(section, __doc__))
