"""What `dxspan-train fit` would learn from and write: its dry run, counted without torch.

Input : a recipe, the knowledge, the encoder's folder, prepared notes where there are any     Output: lines for the console
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from nlp_core.knowledge import Knowledge
from training.matching.cases import read_cases
from training.model.prepared_sentences import PreparedSentences
from training.model.recipe import Recipe
from training.phrases import names_of, written_phrases


def planned(
    recipe: Recipe, knowledge: Knowledge, encoder: Path, prepared: PreparedSentences | None, files: Sequence[str]
) -> Iterator[str]:
    """files: names of what the run leaves."""
    splits = Counter(phrase.split for phrase in (*names_of(knowledge), *written_phrases(knowledge)))
    yield _line("encoder", f"{encoder}, {recipe.tuning}")
    yield _line("names, phrases", f"{splits['train']:,} to learn, {splits['held_apart']:,} held apart")
    yield _line("steps", f"{recipe.steps:,} of {recipe.concepts} pairs and {recipe.sentences} sentences")
    if recipe.cases:
        yield _line("cases", f"{recipe.cases} a step, of {len(read_cases(known=knowledge.diagnoses)):,}")
    if recipe.grown_rows:
        yield _line("vocabulary", f"grows by {recipe.grown_rows:,} rows at most")
    if prepared:
        share = f"{100 * recipe.prepared:g} % of the sentences"
        yield _line("prepared notes", f"{prepared.notes:,}, {share}; {len(prepared.bad):,} unreadable lines")
    yield _line("checkpoints", f"every {recipe.measure_every:,} steps, and at the end")
    yield _line("would be written", ", ".join(files))


def _line(name: str, said: str) -> str:
    return f"{name:16} {said}"
