"""`python -m benchmarks.text_pipeline [--write docs/text_pipeline.md]`: what the text pipeline costs beside the encoder.

Everything around the encoder (tokenizer, neutral words, frames, batches, taking the answers apart) against the encoder's own
processor time on the same notes, in turn within one run; and how many of the tokens the encoder computes are padding.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.knowledge_load import sample_text
from benchmarks.section import shipped_model
from nlp_core.batches import Batch, same_length_batches
from nlp_core.encoder import Encoder, HeadAnswers, Vectors, embed_texts
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.sections import sentences
from nlp_core.sentence_readings import SentenceEncoder
from nlp_core.windows import windows_over
from nlp_core.words import blank_pipeline
from training.command import deliver

AIM = 0.05


class Counted:
    """An Encoder that counts what passes through it: seconds of processor time, tokens, and padding among them."""

    def __init__(self, encoder: Encoder, bundle: Bundle) -> None:
        self._encoder, self._bundle = encoder, bundle
        self.width, self.longest, self.has_heads = encoder.width, encoder.longest, encoder.has_heads
        self.seconds, self.tokens, self.padding, self.runs = 0.0, 0, 0, 0

    def encode(self, batch: Batch) -> Vectors:
        return self.read(batch)[0]

    def read(self, batch: Batch) -> tuple[Vectors, HeadAnswers]:
        began = time.process_time()
        answer = self._encoder.read(batch)
        self.seconds += time.process_time() - began
        self.tokens += batch.mask.size
        self.padding += int(batch.mask.size - batch.mask.sum())
        self.runs += 1
        return answer

    def embed(self, texts: Sequence[str]) -> Vectors:
        return embed_texts(texts, tokenizer=self._bundle.tokenizer(), encode=self.encode, width=self.width)


@dataclass(frozen=True)
class Cost:
    """One way of cutting the text: medians over the rounds, in milliseconds of processor time."""

    what: str
    around: float
    encoding: float
    tokens: int
    padding: int
    runs: int

    @property
    def share(self) -> float:
        return self.around / self.encoding


def measure(rounds: int = 15) -> list[Cost]:
    """The sample charts' notes, as sentences (what serving reads) and as windows (whole notes), one thread."""
    bundle = Bundle.open(composed_bundle_path())
    counted = Counted(OnnxEncoder.open(bundle), bundle)
    tokenizer, text, nlp = bundle.tokenizer(), sample_text(), blank_pipeline()
    reader = SentenceEncoder(counted, tokenizer)

    def as_sentences() -> None:
        reader.read([text[one.start : one.end] for one in sentences(text, nlp)])

    def as_windows() -> None:
        for batch in same_length_batches([window.ids for window in windows_over(text, tokenizer)]):
            counted.encode(batch)

    ways = {"sentences": as_sentences, "windows": as_windows}
    seen: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            counted.seconds, counted.tokens, counted.padding, counted.runs = 0.0, 0, 0, 0
            began = time.process_time()
            work()
            around = time.process_time() - began - counted.seconds
            cost = Cost(name, 1e3 * around, 1e3 * counted.seconds, counted.tokens, counted.padding, counted.runs)
            seen[name].append(cost)
    return [sorted(costs, key=lambda cost: cost.share)[len(costs) // 2] for costs in seen.values()]


def page(costs: Sequence[Cost], model: str) -> Iterator[str]:
    """The page, line by line. model: version of the one that read."""
    yield "# What the text pipeline costs beside the encoder"
    yield ""
    yield f"Written by `make text-pipeline` (`python -m benchmarks.text_pipeline --write docs/text_pipeline.md`), model {model}:"
    yield "the sample charts' notes (3 kB) on one"
    yield "thread, processor time, median of rounds taken in turn. *Around* is all that is not the encoder: cutting into sentences,"
    yield f"tokenizer, neutral words, frames, batches, taking the answers apart. The machine is shared: the ratio counts. Aim: {100 * AIM:.0f} %."
    yield ""
    yield "| cut into | encoder runs | tokens | of them padding | around, ms | encoder, ms | around / encoder |"
    yield "|---|---|---|---|---|---|---|"
    for one in costs:
        yield (
            f"| {one.what} | {one.runs} | {one.tokens} | {one.padding} | {one.around:.1f} | {one.encoding:.1f}"
            f" | {100 * one.share:.1f} % |"
        )
    yield ""
    serving = next(one for one in costs if one.what == "sentences")
    yield f"Serving reads sentences: {100 * serving.share:.1f} %, {'within' if serving.share <= AIM else 'beyond'} the aim. No row is"
    yield "padded: only equal lengths share a batch."
    yield ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text_pipeline", description=__doc__)
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")
    options = parser.parse_args()
    deliver("\n".join(page(measure(), shipped_model())), options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
