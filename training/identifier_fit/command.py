"""`dxspan-train fit-identifier-head`: fits the head of training.deidentify.identifier_head, rounds it, chooses its thresholds.

Input : files of marked notes to fit on, one that is never fitted on     Output: weights.npz and weights.json in a folder
The thresholds are those with which most identifiers of the notes apart are found while at most `--lost` of their other words are.
"""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser, Namespace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from nlp_core.durable_files import write_whole
from training.command import Command
from training.deidentify.identifier_head.head import RECORD, WEIGHTS, IdentifierHead, Thresholds
from training.deidentify.identifier_head.network import Weights
from training.deidentify.kinds import Found
from training.deidentify.notes import NoteCleaner
from training.deidentify.surrogates import Surrogates
from training.deidentify.text_folding import folded
from training.deidentify.vocabulary import vocabulary
from training.identifier_fit.training_notes import MarkedText, training_notes
from training.measures.planted_notes import PLANTED, Outcome, counted, planted_notes

FITTED_ON = ("development", "development2", "development3")
CHOSEN_ON = "development3_check"
_THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98)
_DOUBTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)


def choose(weights: Weights, check: Path, most_lost: float) -> tuple[Thresholds, dict[str, Any]]:
    """Thresholds for Latin and Chinese tokens and for doubt, and what they give on the notes apart."""
    chosen, given = Thresholds(0.5, 0.5, 0.0, 0.0), {}
    rules, words = NoteCleaner(_surrogates()), vocabulary()
    head = IdentifierHead(words, weights, chosen)
    for language in ("latin", "chinese"):
        notes = [note for note in planted_notes(check) if note.chinese == (language == "chinese")]
        ruled = [(folded(note.text), rules.ruled(note.text)) for note in notes]
        best: tuple[float, Outcome, Thresholds] | None = None
        for sure, doubt in product(_THRESHOLDS, _DOUBTS):
            head.thresholds = chosen._replace(**{language: sure, f"{language}_doubt": doubt})
            outcome = counted(zip(notes, _spans(head, ruled), strict=True))
            if outcome.lost_share <= most_lost and (best is None or outcome.recall > best[0]):
                best = outcome.recall, outcome, head.thresholds
        if best is None:
            raise ValueError(f"no threshold keeps the words lost of {language} notes under {most_lost}")
        chosen = best[2]
        given[language] = {"found": round(best[0], 4), "lost": round(best[1].lost_share, 4)}
    return chosen, given


def _spans(head: IdentifierHead, ruled: list[tuple[str, list[Found]]]) -> list[list[tuple[int, int]]]:
    return [[(one.start, one.end) for one in found] for found in head.judged(ruled)]


def _surrogates() -> Surrogates:
    return Surrogates(b"measuring" * 8, vocabulary())


def write(weights: Weights, folder: Path, record: dict[str, Any]) -> None:
    """Both files; the record holds the checksum of the other."""
    whole = {name: getattr(weights, name) for name in Weights.__slots__}
    small = {
        name: values.astype(np.int8 if np.abs(values).max() < 128 and name != "scales" else np.float32)
        for name, values in whole.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WEIGHTS.name
    with path.open("wb") as file:
        np.savez_compressed(file, **small)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    write_whole(folder / RECORD.name, orjson.dumps({"sha256": digest, **record}, option=orjson.OPT_INDENT_2) + b"\n")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--planted", type=Path, default=PLANTED, help="folder of marked notes (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=WEIGHTS.parent, help="folder to write to (default: the shipped one)"
    )
    parser.add_argument(
        "--copies", type=int, default=9, help="times that each note is written anew (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="times over all notes (default: %(default)s)")
    parser.add_argument("--lost", type=float, default=0.02, help="other words lost at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: %(default)s)")


def _run(options: Namespace) -> int:
    from training.identifier_fit.fit import fitted

    marked = [
        MarkedText(note.text, note.identifiers)
        for name in FITTED_ON
        for note in planted_notes(options.planted / f"{name}.txt")
    ]
    texts = training_notes(marked, options.copies, options.seed)
    weights = fitted(texts, NoteCleaner(_surrogates()), rounds=options.rounds, seed=options.seed, quiet=False)
    write(weights, options.out, {"thresholds": Thresholds(0.5, 0.5, 0.0, 0.0)._asdict()})
    thresholds, given = choose(weights, options.planted / f"{CHOSEN_ON}.txt", options.lost)
    record = {
        "fittedOn": list(FITTED_ON), "chosenOn": CHOSEN_ON, "thresholds": thresholds._asdict(), "onTheNotesApart": given,
        "copies": options.copies, "rounds": options.rounds, "seed": options.seed,
    }  # fmt: skip
    write(weights, options.out, record)
    print(orjson.dumps(record, option=orjson.OPT_INDENT_2).decode())
    return 0


COMMAND = Command(
    "fit-identifier-head", "the head that tells identifiers in notes, from marked notes", _arguments, _run
)
