"""How sentences are put together for a run of the encoder, and what each way costs: fp32 as it serves, one thread.

Input : notes of our own cases, as sentences
Output: for each way its runs, the padding among its tokens, and tokens of the notes per second of processor time
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.encoder_variants import Run, inputs_of
from nlp_core.batches import MOST_TOKENS, Batch, same_length_batches
from nlp_core.model_bundle import Bundle
from nlp_core.sections import sentences
from nlp_core.windows import frame_of, tokens_of
from nlp_core.words import blank_pipeline
from training.measures.own_cases import DEVELOPMENT, read_cases

Ids = np.ndarray
Notes = list[list[Ids]]
"""By note its sentences' token ids."""


@dataclass(frozen=True)
class Batching:
    name: str
    runs: int
    padding: float
    """Share of what is computed."""
    rate: float
    """Tokens of the notes per second of processor time."""


def measure(run: Run, bundle: Bundle, *, notes: int = 10, rounds: int = 3) -> list[Batching]:
    """Every way over the same notes in turn; rates are medians over the rounds."""
    read = notes_of(bundle, notes)
    everything = [ids for note in read for ids in note]
    own = sum(map(len, everything))
    ways = {
        "one by one": [batch for ids in everything for batch in same_length_batches([ids])],
        "note by note, equal lengths together": [batch for note in read for batch in same_length_batches(note)],
        "note by note, padded to a multiple of four": [batch for note in read for batch in padded(note, 4)],
        "all notes at once, equal lengths together": same_length_batches(everything),
    }
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, batches in ways.items():
            began = time.process_time()
            for batch in batches:
                run(inputs_of(batch))
            seconds[name].append(time.process_time() - began)
    return [
        Batching(name, len(batches), 1 - own / sum(b.ids.size for b in batches), own / statistics.median(seconds[name]))
        for name, batches in ways.items()
    ]


def notes_of(bundle: Bundle, most: int) -> Notes:
    tokenizer, pipeline = bundle.tokenizer(), blank_pipeline()
    frame = frame_of(tokenizer)
    found = []
    for case in read_cases(DEVELOPMENT)[:most]:
        ids = (tokens_of(case.en[one.start : one.end], tokenizer).ids for one in sentences(case.en, pipeline))
        found.append([frame.around(one) for one in ids if len(one)])
    return found


def padded(sequences: Sequence[Ids], step: int) -> list[Batch]:
    """Lengths rounded up to a multiple of `step`, and then equals together."""
    by_length: defaultdict[int, list[Ids]] = defaultdict(list)
    for ids in sequences:
        by_length[-(-len(ids) // step) * step].append(ids)
    found = []
    for length, members in by_length.items():
        rows = max(1, MOST_TOKENS // length)
        for first in range(0, len(members), rows):
            part = members[first : first + rows]
            whole = np.stack([np.pad(ids, (0, length - len(ids))) for ids in part])
            mask = np.stack([np.arange(length) < len(ids) for ids in part]).astype(np.int64)
            found.append(Batch(whole, mask, tuple(range(len(part)))))
    return found
