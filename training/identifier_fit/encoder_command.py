"""`dxspan-train fit-identifier-encoder`: fits the encoder of training.deidentify.identifier_encoder, chooses how it is weighed.

Input : the marked notes of fit-identifier-head, invented charts     Output: changes.safetensors, encoder.onnx, encoder.json
Minutes on a GPU, a day on a CPU; with --work it goes on where it was stopped. `--learnt` takes what was learnt elsewhere.
`--further` begins with what an earlier fit learnt; `--weigh` leaves that as it is and weighs it anew, minutes on a CPU: whenever the
small head or the rules have changed.
"""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from tqdm import tqdm

from nlp_core.durable_files import write_whole
from training.command import Command
from training.deidentify.identifier_encoder.weights import CHANGES, GRAPH, HERE, RECORD, characters_of
from training.deidentify.identifier_encoder.word_marks import ROWS
from training.deidentify.identifier_head.head import shipped_weights
from training.deidentify.vocabulary import vocabulary
from training.identifier_fit.command import CHOSEN_ON, FITTED_ON, marked_texts, notes_apart
from training.measures.planted_notes import PLANTED

if TYPE_CHECKING:
    from training.identifier_fit.beginning import Beginning

_LEARNT = "learnt.npz"
_KEPT_PIECES = 2**20
"""An unfinished fit is written whenever so many were learnt from."""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--planted", type=Path, default=PLANTED, help="folder of marked notes (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: the shipped one)")
    parser.add_argument("--work", type=Path, help="folder for an unfinished fit, which goes on from there")
    parser.add_argument("--learnt", type=Path, help="learnt.npz of a fit elsewhere: only written and weighed here")
    parser.add_argument(
        "--weigh", action="store_true", help="nothing is learnt: how the encoder in --out is weighed is chosen anew"
    )
    parser.add_argument(
        "--further", type=Path, metavar="FOLDER", help="of an earlier fit, to go on from what it learnt"
    )
    parser.add_argument(
        "--newest", type=int, default=1,
        help="times that each note of the newest authors is taken, to meet them sooner with --further (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--rate", type=float, default=7e-4, help="of learning (default: %(default)s)")
    parser.add_argument("--layers", type=int, default=6, help="layers of the base, 1 to 6 (default: %(default)s)")
    parser.add_argument("--rank", type=int, default=64, help="of the changes (default: %(default)s)")
    parser.add_argument(
        "--copies", type=int, default=40, help="times that each note is written anew (default: %(default)s)"
    )
    parser.add_argument(
        "--characters", type=int, default=3_000,
        help="Chinese characters beside those of base and reading model, at most (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--charts", type=int, default=1_000, help="invented charts among them (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=2_400, help="of learning (default: %(default)s)")
    parser.add_argument("--pieces", type=int, default=32_768, help="of a step (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="that cut the notes (default: %(default)s)")
    parser.add_argument("--lost", type=float, default=0.02, help="other words lost at most (default: %(default)s)")
    parser.add_argument(
        "--unsure", type=float, nargs=2, default=UNSURE, metavar=("FROM", "TO"),
        help="chances of the small head between which the encoder reads (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: %(default)s)")


UNSURE = (0.1, 0.9)


def _run(options: Namespace) -> int:
    from training.deidentify.identifier_encoder.encoder import open_encoder
    from training.identifier_fit.choose_weighing import choose_weighing

    changes, graph = options.out / CHANGES, options.out / GRAPH
    characters = characters_of(options.out) if options.weigh else _written(options, changes, graph)
    thresholds, weighing, given = choose_weighing(
        open_encoder(vocabulary(), options.out, characters), shipped_weights(), notes_apart(options.planted),
        options.lost, tuple(options.unsure),
    )  # fmt: skip
    record: dict[str, Any] = {
        "sha256": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (changes, graph)},
        "fittedOn": list(FITTED_ON), "chosenOn": list(CHOSEN_ON), "thresholds": thresholds._asdict(),
        "weighing": weighing._asdict(), "onTheNotesApart": given, "characters": characters,
    }  # fmt: skip
    said = orjson.dumps(record, option=orjson.OPT_INDENT_2)
    write_whole(options.out / RECORD, said + b"\n")
    print(said.decode())
    return 0


def _written(options: Namespace, changes: Path, graph: Path) -> str:
    """Learns and writes; what `characters_of` will say of it."""
    from training.identifier_fit.beginning import at_the_reading_model, where_a_fit_ended
    from training.identifier_fit.write_encoder import write_encoder

    begun = (
        where_a_fit_ended(options.further, options.rank) if options.further else at_the_reading_model(_further(options))
    )
    learnt = dict(np.load(options.learnt)) if options.learnt else _learnt(options, begun)
    options.out.mkdir(parents=True, exist_ok=True)
    write_encoder(learnt, begun.beside, changes, graph)
    return begun.characters


def _further(options: Namespace) -> str:
    from nlp_core.knowledge_files import read_knowledge
    from training.identifier_fit.encoder_examples import further_characters

    return further_characters(marked_texts(options.planted), read_knowledge(), options.characters, options.seed)


def _learnt(options: Namespace, begun: Beginning) -> dict[str, Any]:
    """By fitting here; in --work lie what is unfinished and, in the end, what was learnt."""
    import torch

    from nlp_core.knowledge_files import read_knowledge
    from training.identifier_fit.encoder_examples import encoder_notes, examples
    from training.identifier_fit.encoder_fit import Plan, fit, judged
    from training.identifier_fit.encoder_net import Shape
    from training.identifier_fit.training_notes import MarkedText

    if options.work:
        options.work.mkdir(parents=True, exist_ok=True)
        if (done := options.work / _LEARNT).exists():
            return dict(np.load(done))
    texts = encoder_notes(
        marked_texts(options.planted, options.newest),
        read_knowledge(),
        copies=options.copies,
        charts=options.charts,
        seed=options.seed,
    )
    given = examples(texts, begun.characters, processes=options.processes, quiet=False)
    base = {name: torch.from_numpy(value) for name, value in begun.base().items()}
    plan = Plan(
        Shape(options.layers, options.rank),
        rate=options.rate, own_rate=options.rate, pieces=options.pieces, steps=options.steps, seed=options.seed,
    )  # fmt: skip
    with tqdm(total=options.steps, desc="steps") as bar:

        def told(step: int, _: float) -> None:
            bar.update(step - bar.n)

        net = fit(
            given, base, ROWS, plan,
            told=told,
            learnt_words=torch.from_numpy(begun.learnt_words),
            start=begun.learnt,
            kept=options.work / "unfinished.pt" if options.work else None,
            keep_every=max(1, _KEPT_PIECES // options.pieces),
        )  # fmt: skip
    apart = [MarkedText(note.text, note.identifiers) for note in notes_apart(options.planted)]
    print(
        f"tokens of identifiers found where 2 % of others are taken too: {judged(net, examples(apart, begun.characters))}"
    )
    learnt = {name: value.detach().float().cpu().numpy() for name, value in net.learnt()}
    if options.work:
        with (options.work / _LEARNT).open("wb") as file:
            np.savez(file, allow_pickle=False, **learnt)
    return learnt


COMMAND = Command(
    "fit-identifier-encoder",
    "the encoder that reads where the identifier head is unsure, from marked notes",
    _arguments,
    _run,
)
