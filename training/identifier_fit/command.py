"""`dxspan-train fit-identifier-head`: fits the head of training.deidentify.identifier_head, rounds it, chooses its thresholds.

Input : files of marked notes to fit on, one that is never fitted on     Output: weights.npz and weights.json in a folder
The thresholds are those with which most identifiers of the notes apart are found while at most `--lost` of their other words are.
"""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from nlp_core.durable_files import write_whole
from training.command import Command
from training.deidentify.identifier_head.head import RECORD, WEIGHTS, Thresholds
from training.deidentify.identifier_head.network import Weights
from training.deidentify.vocabulary import vocabulary
from training.identifier_fit.choose_thresholds import (
    LANGUAGES,
    START,
    RememberingHead,
    best,
    in_language,
    ruled_notes,
    rules_alone,
    said,
)
from training.identifier_fit.training_notes import MarkedText, own_notes, training_notes
from training.measures.planted_notes import PLANTED, PlantedNote, planted_notes

FITTED_ON = (
    "development", "development2", "development3", "development4_en", "development4_zh", "development5_en", "development5_zh",
    "development6_en", "development6_zh", "development7_en", "development7_zh",
)  # fmt: skip
"""Beside them the notes of training.identifier_fit itself."""
NEWEST = ("development7_en", "development7_zh")
"""Of authors whom an encoder that is fitted further has not met."""
CHOSEN_ON = (
    "development3_check", "development4_check_en", "development4_check_zh", "development5_check_en", "development5_check_zh",
    "development6_check_en", "development6_check_zh", "development7_check_en", "development7_check_zh",
)  # fmt: skip


def marked_texts(planted: Path, newest: int = 1) -> list[MarkedText]:
    """All that is fitted on before it is written anew; newest: times that notes of the newest authors are among them."""
    sets = (*FITTED_ON, *NEWEST * (newest - 1))
    notes = [note for name in sets for note in planted_notes(planted / f"{name}.txt")]
    return [*(MarkedText(note.text, note.identifiers) for note in notes), *own_notes()]


def notes_apart(planted: Path) -> list[PlantedNote]:
    """What thresholds are chosen on."""
    return [note for name in CHOSEN_ON for note in planted_notes(planted / f"{name}.txt")]


def choose(weights: Weights, apart: Sequence[PlantedNote], most_lost: float) -> tuple[Thresholds, dict[str, Any]]:
    """Thresholds for Latin and Chinese tokens and for doubt, and what they give on the notes apart."""
    head, given = RememberingHead(vocabulary(), weights, START), {}
    for language in LANGUAGES:
        notes = in_language(apart, language)
        outcome, head.thresholds = best(head, language, notes, ruled_notes(notes), most_lost)
        given[language] = said(outcome)
    return head.thresholds, given


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

    texts = training_notes(marked_texts(options.planted), options.copies, options.seed)
    weights = fitted(texts, rules_alone(), rounds=options.rounds, seed=options.seed, quiet=False)
    write(weights, options.out, {"thresholds": START._asdict()})
    thresholds, given = choose(weights, notes_apart(options.planted), options.lost)
    record = {
        "fittedOn": list(FITTED_ON), "chosenOn": list(CHOSEN_ON), "thresholds": thresholds._asdict(), "onTheNotesApart": given,
        "copies": options.copies, "rounds": options.rounds, "seed": options.seed,
    }  # fmt: skip
    write(weights, options.out, record)
    print(orjson.dumps(record, option=orjson.OPT_INDENT_2).decode())
    return 0


COMMAND = Command(
    "fit-identifier-head", "the head that tells identifiers in notes, from marked notes", _arguments, _run
)
