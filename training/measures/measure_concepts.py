"""`dxspan-train measure-concepts`: how well clauses are matched to findings, and from which likeness on.

Reads held-apart phrases (training.phrases) and clauses that mean nothing with the composed bundle's own encoder and index,
the way of serving, and writes the curve of hits and false finds over the threshold, English and Chinese apart.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlp_core.assessment import Language
from nlp_core.concepts import LEAST_FINDING, LEAST_LIKENESS
from nlp_core.model_bundle import NAMES, Bundle, composed_bundle_path
from nlp_core.name_index import NameIndex
from nlp_core.neutral_words import neutral
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.sentence_readings import SentenceEncoder
from training.command import Command, deliver
from training.phrases import Phrase, clauses_of_nothing, written_phrases

THRESHOLDS = tuple(round(float(value), 2) for value in np.arange(0.5, 0.92, 0.04))
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Matches:
    """Likeness of each clause to its nearest name, and whether that name is right; of nothing none is."""

    likeness: NDArray[np.float32]
    right: NDArray[np.bool_]
    nothing: NDArray[np.bool_]

    def at(self, threshold: float) -> tuple[float, float, float]:
        """(found rightly, found wrongly) among the phrases that mean something, and found among those of nothing."""
        found = self.likeness >= threshold
        meant = ~self.nothing
        return (
            float((found & self.right)[meant].mean()) if meant.any() else 0.0,
            float((found & ~self.right)[meant].mean()) if meant.any() else 0.0,
            float(found[self.nothing].mean()) if self.nothing.any() else 0.0,
        )


def match(phrases: Sequence[Phrase], bundle: Bundle, encoder: OnnxEncoder, index: NameIndex) -> Matches:
    """Nearest names of `phrases`, each a sentence of its own; the finding itself and its relatives are right.

    Where the finding head sees nothing the likeness is 0.
    """
    knowledge = bundle.knowledge()
    nearest = [found for (found,) in index.nearest(_vectors([phrase.text for phrase in phrases], bundle, encoder))]
    right = [
        bool(p.entry) and knowledge.related(entry, p.entry) for p, (entry, _) in zip(phrases, nearest, strict=True)
    ]
    return Matches(
        np.array([likeness for _, likeness in nearest], np.float32),
        np.array(right, dtype=np.bool_),
        np.array([not phrase.entry for phrase in phrases], dtype=np.bool_),
    )


def _vectors(texts: Sequence[str], bundle: Bundle, encoder: OnnxEncoder) -> NDArray[np.float32]:
    """What reading compares with the names: [texts, width], of length 1, or of nothing but zeros."""
    if not encoder.has_heads:
        return encoder.embed([neutral(text) for text in texts])
    vectors = np.zeros((len(texts), encoder.width), np.float32)
    for row, pieces in enumerate(SentenceEncoder(encoder, bundle.tokenizer()).read(texts)):
        for piece in pieces[:1]:
            (places,) = np.nonzero(piece.finding >= LEAST_FINDING)
            if len(places):
                vectors[row] = piece.vector_of(places)
    return vectors


def page(bundle: Bundle) -> str:
    """The whole measurement as Markdown."""
    knowledge, encoder = bundle.knowledge(), OnnxEncoder.open(bundle, threads=0)
    index = NameIndex.load(bundle.file(NAMES))
    kinds = ("symptom", "sign", "imaging", "exposure")
    held = [
        p for p in written_phrases(knowledge) if p.split == "held_apart" and knowledge.findings[p.entry].kind in kinds
    ]
    nothing = list(clauses_of_nothing())
    return "\n".join(
        _lines(
            bundle,
            {
                language: match([p for p in (*held, *nothing) if p.language == language], bundle, encoder, index)
                for language in LANGUAGES
            },
        )
    )


def _lines(bundle: Bundle, found: dict[Language, Matches]) -> Iterator[str]:
    yield "# Clauses matched to findings"
    yield ""
    yield "Written by `make concepts` (`dxspan-train measure-concepts`). Phrases written by the project and held apart from training"
    yield f"(one in ten) and clauses that mean no finding, read by the encoder of model {bundle.model_version}; the nearest name of all"
    yield f"symptoms, signs, images and exposures counts from the threshold on (in force: English {LEAST_LIKENESS['en']}, Chinese"
    yield f"{LEAST_LIKENESS['zh']}). In percent:"
    yield ""
    yield "| language | phrases | of nothing | threshold | found rightly | found wrongly | nothing taken for something |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for language, matches in found.items():
        phrases, nothing = int((~matches.nothing).sum()), int(matches.nothing.sum())
        for threshold in THRESHOLDS:
            right, wrong, false = (100 * share for share in matches.at(threshold))
            yield f"| {language} | {phrases} | {nothing} | {threshold:.2f} | {right:.1f} | {wrong:.1f} | {false:.1f} |"
    yield ""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")


def _run(options: Namespace) -> int:
    written = page(Bundle.open(composed_bundle_path()))
    deliver(written, options.write)
    return 0


COMMAND = Command("measure-concepts", "how well clauses are matched to findings, over the threshold", _arguments, _run)
