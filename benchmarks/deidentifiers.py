"""`python -m benchmarks.deidentifiers [--peers-python PYTHON] [--write FILE]`: our de-identifier beside others, one table.

Input : the planted English notes     Output: identifiers wholly found, other words lost, kB/s of processor time, by count alone
A peer runs in a Python of its own, where it is installed; one that is not is named as absent.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.deidentifier_peers import LONGEST_NOTE, PEERS
from training.command import deliver
from training.deidentify.notes import NoteCleaner, nobody
from training.deidentify.readers import Reader, shipped_reader
from training.deidentify.surrogates import Surrogates
from training.deidentify.vocabulary import vocabulary
from training.measures.planted_notes import PLANTED, SETS, PlantedNote, counted, planted_notes

_PATIENCE = 1_800
"""Seconds that a peer may take."""
Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Row:
    """What one of them found in all notes."""

    name: str
    needs: str
    found: Sequence[Spans]
    seconds: float


def ours(notes: list[PlantedNote], reader: Reader | None) -> Row:
    """As a run would, with a record that knows nobody: peers know no record either.

    The reader (None: rules alone) has met the words before, as after an export's first megabytes; no paragraph is remembered.
    """
    words = vocabulary()
    chosen, surrogates = shipped_reader(reader, words) if reader else None, Surrogates(b"measuring" * 8, words)
    before = NoteCleaner(surrogates, head=chosen)
    for note in notes:
        before.find(note.text, nobody(None))
    cleaner = NoteCleaner(surrogates, head=chosen)  # knows no paragraph
    start = time.process_time()
    found = [[(one.start, one.end) for one in cleaner.find(note.text, nobody(None))] for note in notes]
    return Row(_OURS[reader], "nothing else", found, time.process_time() - start)


def peer(name: str, python: Path, notes: list[PlantedNote]) -> Row | str:
    """Why it could not run, where it could not."""
    script = Path(__file__).with_name("deidentifier_peers.py")
    done = subprocess.run(
        [str(python), str(script), name],
        input=json.dumps([note.text for note in notes]), capture_output=True, text=True, timeout=_PATIENCE, check=False,
    )  # fmt: skip
    if done.returncode:
        return f"{PEERS[name][0]}: not installed there or failed ({(done.stderr.strip().splitlines() or ['no word'])[-1][:120]})"
    answer = json.loads(done.stdout)
    needs = _NEEDS[name]
    if answer["unfinished"]:
        needs += (
            f"; {answer['unfinished']} notes not finished in {LONGEST_NOTE} s each, in which nothing counts as found"
        )
    return Row(f"{PEERS[name][0]} {answer['version']}", needs, answer["found"], answer["seconds"])


_OURS: dict[Reader | None, str] = {
    "head": "dxspan", "encoder": "dxspan with `--reader encoder`", None: "dxspan, its rules alone"
}  # fmt: skip
_NEEDS = {
    "presidio": "spaCy; a language model for names (here a blank one)",
    "philter": "nltk and its tagger's data (here digits in its place)",
}


def lines(notes: list[PlantedNote], rows: list[Row], absent: list[str]) -> Iterator[str]:
    yield "# De-identifiers side by side"
    yield ""
    yield "Written by `python -m benchmarks.deidentifiers --peers-python PYTHON --write docs/deidentification_peers.md`: the planted English"
    yield f"notes ({len(notes)} notes, {sum(len(note.text) for note in notes) / 1000:.0f} kB), no record of any patient. Identifiers wholly found / other"
    yield "words lost, in percent; speed of one process, processor time (ours after it has met the words once, no paragraph remembered). `held` is the set"
    yield "that nobody mended on; ours is fitted on the `development` sets without `check`. Philter's patterns are read with their flags moved to the start."
    yield ""
    yield "| notes | " + " | ".join(row.name for row in rows) + " |"
    yield "|---|" + "---:|" * len(rows)
    told = {note.set for note in notes}
    for name in ("held", *(name for name in SETS if name != "held" and name in told)):
        yield f"| `{name}` | " + " | ".join(_found_and_lost(row, notes, name) for row in rows) + " |"
    size = sum(len(note.text) for note in notes) / 1000
    yield "| kB/s | " + " | ".join(f"{size / max(row.seconds, 1e-6):.0f}" for row in rows) + " |"
    yield ""
    yield from (f"- {row.name} needs {row.needs}" for row in rows if row.name not in _OURS.values())
    yield from (f"- absent: {reason}" for reason in absent)


def _found_and_lost(row: Row, notes: Sequence[PlantedNote], name: str) -> str:
    chosen = [(note, found) for note, found in zip(notes, row.found, strict=True) if note.set == name]
    outcome = counted(chosen)
    return f"{100 * outcome.recall:.1f} / {100 * outcome.lost_share:.1f}" if chosen else "–"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--peers-python", type=Path, help="a Python in which presidio-analyzer or philter-ucsf are installed"
    )
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")
    options = parser.parse_args(arguments)
    notes = [note for name in SETS for note in planted_notes(PLANTED / f"{name}.txt") if not note.chinese]
    rows = [ours(notes, reader) for reader in _OURS]
    absent = []
    for name in PEERS:
        row = (
            peer(name, options.peers_python, notes) if options.peers_python else f"{PEERS[name][0]}: no --peers-python"
        )
        if isinstance(row, str):
            absent.append(row)
            continue
        rows.append(row)
        if name == "presidio":
            both = [[*theirs, *own] for theirs, own in zip(row.found, rows[0].found, strict=True)]
            rows.append(
                Row(f"{row.name} with our finders as its recognizers", row.needs, both, row.seconds + rows[0].seconds)
            )
    deliver("\n".join(lines(notes, rows, absent)) + "\n", options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
