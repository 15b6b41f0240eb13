"""`python -m benchmarks.encoders [--write docs/encoders.md]`: which way of running the encoder is fastest on this CPU, and
do the cards stay the same?

Speed is tokens per second of processor time, all ways in turn within one run (ABAB): other work on the machine then costs
every way alike. A way counts only if it shows the same card as fp32 on 99.5 % of texts.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from benchmarks import encoder_batches
from benchmarks.encoder_cards import agreements, cascaded, texts_of
from benchmarks.encoder_page import MEASURED, SENTENCES, Figures, Measured, draw, page
from benchmarks.encoder_variants import BY_ROWS, GEMM, Run, gemm, inputs_of, variants
from benchmarks.knowledge_load import sample_text
from nlp_core.batches import Batch, same_length_batches
from nlp_core.chart import Chart
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.sections import sentences
from nlp_core.windows import frame_of, tokens_of
from nlp_core.words import blank_pipeline
from training.command import deliver

Key = TypeVar("Key", bound=Hashable)
SHAPES = {"1 × 16": (1, 16), "16 × 32": (16, 32), MEASURED: (1, 128), "2 × 256": (2, 256)}
_TOKEN_FLOP, _TOKEN_FLOP_PER_LENGTH = 21.23e6, 9216.0
"""Of the base encoder: 6 layers, 384 wide; the heads come to under 1 %."""


def measure(
    bundle: Bundle, texts: Sequence[Chart], *, with_sets: bool = False, rounds: int = 5, seconds: float = 0.1
) -> Measured:
    """Every way over every shape in turn, `rounds` times, then over the texts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ways = variants(bundle, folder)
        runs = {way.name: way.open(1) for way in ways}
        asked = _asked(bundle)
        work = {(way.name, shape): partial(_all, runs[way.name], asked[shape]) for shape in asked for way in ways}
        products = {way.precision: gemm(way.precision, folder) for way in ways}
        rates = _in_turn(work | {(p, ""): partial(run, {}) for p, run in products.items()}, rounds, seconds)
        peaks = {precision: rates[precision, ""] * 2 * GEMM[0] * GEMM[1] * GEMM[2] for precision in products}
        pairs = {way.name: {n: way.open(n) for n in (1, 2)} for way in ways}
        both = {
            (name, n): partial(_all, run, asked[MEASURED]) for name, pair in pairs.items() for n, run in pair.items()
        }
        by_threads = _in_turn(both, rounds, seconds)
        doubled = {name: by_threads[name, 1] / by_threads[name, 2] for name in pairs}
        counted = {way.name: runs[way.name] for way in ways if way is ways[0] or way.precision != "fp32"}
        batchings = encoder_batches.measure(runs[ways[0].name], bundle, notes=10 if texts else 2)
        cards = agreements(counted, texts, bundle, cascade=BY_ROWS)
        wanted = [runs[ways[0].name](inputs)[0] for inputs in asked[SENTENCES]]
        found = []
        for way in ways:
            tokens = {shape: rates[way.name, shape] * _size(inputs) for shape, inputs in asked.items()}
            flop = tokens[MEASURED] * (_TOKEN_FLOP + _TOKEN_FLOP_PER_LENGTH * SHAPES[MEASURED][1])
            given = [runs[way.name](inputs)[0] for inputs in asked[SENTENCES]]
            cosine = min(map(_least_cosine, wanted, given))
            found.append(
                Figures(way, tokens, doubled[way.name], flop / peaks[way.precision], cosine, cards.get(way.name))
            )
    twice = cards.get(cascaded(BY_ROWS))
    return Measured(found, peaks, (BY_ROWS, twice) if twice else None, len(texts), with_sets, batchings)


Inputs = list[dict[str, np.ndarray]]


def _asked(bundle: Bundle) -> dict[str, Inputs]:
    """Shape -> runs: the sample notes' sentences as serving batches them, then random tokens."""
    tokenizer, text = bundle.tokenizer(), sample_text()
    read = [tokens_of(text[one.start : one.end], tokenizer).ids for one in sentences(text, blank_pipeline())]
    batches = same_length_batches([frame_of(tokenizer).around(ids) for ids in read if len(ids)])
    random = np.random.default_rng(0)
    asked = {SENTENCES: [inputs_of(batch) for batch in batches]}
    for name, shape in SHAPES.items():
        ids = random.integers(999, bundle.manifest.vocabulary, shape)
        asked[name] = [inputs_of(Batch(ids, np.ones_like(ids), tuple(range(shape[0]))))]
    return asked


def _all(run: Run, asked: Inputs) -> None:
    for inputs in asked:
        run(inputs)


def _size(asked: Inputs) -> int:
    """Tokens."""
    return sum(inputs["input_ids"].size for inputs in asked)


def _in_turn(work: Mapping[Key, Callable[[], object]], rounds: int, seconds: float) -> dict[Key, float]:
    """Runs per second of processor time: median over rounds, each piece of work once a round."""
    times: dict[Key, list[float]] = {key: [] for key in work}
    for run in work.values():
        run()
    for _ in tqdm(range(rounds), desc="speed", unit="round"):
        for key, run in work.items():
            began, count = time.process_time(), 0
            while time.process_time() - began < seconds or not count:
                run()
                count += 1
            times[key].append(count / (time.process_time() - began))
    return {key: statistics.median(rates) for key, rates in times.items()}


def _least_cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(((one * other).sum(-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)).min())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoders", description=__doc__)
    parser.add_argument("--texts", type=Path, help="folder of the evaluation texts (measured on, never shown)")
    parser.add_argument("--most", type=int, default=200, help="texts to read with each way (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--write", type=Path, help="Markdown file to write, the plot beside it; without it the page is printed"
    )
    options = parser.parse_args()
    texts = texts_of(options.texts, options.most) if options.most else []
    bundle = Bundle.open(composed_bundle_path())
    found = measure(bundle, texts, with_sets=options.texts is not None, rounds=options.rounds)
    plot = (options.write or Path("encoders.md")).with_suffix(".svg")
    given = f" --most {options.most} --rounds {options.rounds}" + (" --texts …" if options.texts else "")
    deliver(
        "\n".join(
            page(
                found, plot.name, f"python -m benchmarks.encoders{given} --write docs/encoders.md", bundle.model_version
            )
        ),
        options.write,
    )
    if options.write:
        draw(found, plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
