"""Runs in a Python that has a peer installed: `python deidentifier_peers.py presidio|philter < texts.json > found.json`.

Input : a JSON list of texts     Output: {"version", "seconds", "found": for each text its [start, end] pairs, "unfinished": texts}
Imports nothing of ours. Presidio works with a blank spaCy model and Philter with digits in place of nltk's tagger, whose data
is on no package registry: what each finds with a model of names is not measured here.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.metadata
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Spans = list[tuple[int, int]]
LONGEST_NOTE = 10
"""Seconds for a note, after which it counts as one in which nothing was found: some of Philter's patterns never end on some notes."""


def presidio(texts: list[str]) -> tuple[float, list[Spans], int]:
    """Every recognizer that Presidio loads for English, each result of any score."""
    analyzer, engines = (
        importlib.import_module("presidio_analyzer"),
        importlib.import_module("presidio_analyzer.nlp_engine"),
    )
    engine = engines.SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
    engine.nlp = {"en": importlib.import_module("spacy").blank("en")}
    made = analyzer.AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    start = time.process_time()
    found = [[(one.start, one.end) for one in made.analyze(text, language="en")] for text in texts]
    return time.process_time() - start, found, 0


def philter(texts: list[str]) -> tuple[float, list[Spans], int]:
    """Its own configuration `philter_delta`, note by note; a character that it turned into an asterisk is found."""
    package = importlib.import_module("philter_ucsf.philter")
    package.nltk.pos_tag = lambda words: [(word, "CD" if word.isdigit() else "NN") for word in words]
    compiled = functools.cache(lambda path: _with_flags_first(Path(path).read_text(encoding="utf-8").strip()))
    package.Philter.precompile = lambda _self, path: compiled(path)
    os.chdir(Path(str(package.__file__)).parent)
    signal.signal(signal.SIGALRM, _too_long)
    seconds, found, unfinished = 0.0, [], 0
    for text in texts:
        signal.alarm(LONGEST_NOTE)
        try:
            taken, spans = _masked(package, text)
        except TimeoutError:
            taken, spans = LONGEST_NOTE, []
            unfinished += 1
        signal.alarm(0)
        seconds += taken
        found.append(spans)
    return seconds, found, unfinished


def _masked(package: Any, text: str) -> tuple[float, Spans]:
    with tempfile.TemporaryDirectory() as work:
        notes, out = Path(work) / "notes", Path(work) / "out"
        notes.mkdir()
        out.mkdir()
        (notes / "note.txt").write_text(text, encoding="utf-8")
        made = package.Philter({
            "verbose": False, "run_eval": False, "finpath": f"{notes}/", "foutpath": f"{out}/", "outformat": "asterisk",
            "filters": "configs/philter_delta.json", "cachepos": None,
        })  # fmt: skip
        start = time.process_time()
        made.map_coordinates()
        made.transform()
        seconds = time.process_time() - start
        after = (out / "note.txt").read_text(encoding="utf-8")
    return seconds, [
        (at, at + 1) for at, (old, new) in enumerate(zip(text, after, strict=False)) if new == "*" and old != "*"
    ]


def _too_long(_signal: int, _frame: object) -> None:
    raise TimeoutError


def _with_flags_first(pattern: str) -> re.Pattern[str]:
    """Philter writes flags within its patterns; Python takes them at the start alone since 3.11."""
    flags = "".join(sorted({flag for group in re.findall(r"\(\?([aimsux]+)\)", pattern) for flag in group}))
    return re.compile(f"(?{flags})" * bool(flags) + re.sub(r"\(\?[aimsux]+\)", "", pattern))


PEERS: dict[str, tuple[str, Callable[[list[str]], tuple[float, list[Spans], int]]]] = {
    "presidio": ("presidio_analyzer", presidio),
    "philter": ("philter_ucsf", philter),
}


def main() -> int:
    package, finder = PEERS[sys.argv[1]]
    texts: list[str] = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        seconds, found, unfinished = finder(texts)
    version = importlib.metadata.version(package)
    answer = {"version": version, "seconds": seconds, "found": found, "unfinished": unfinished}
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
