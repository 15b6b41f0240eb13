"""Ways of choosing a few sentences of a record under one budget: ours, and the simple ones it is measured beside.

Input : the sentences of a chart as it was read, newest note first
Output: those chosen, at most so many and so long together
Knows neither gold nor figures (measure_summary).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp_core.chart_reading import ReadChart
from nlp_core.knowledge import Knowledge
from nlp_core.note import Note, Span
from nlp_core.summary import Summariser, size

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Placed:
    """One sentence by its place."""

    note: Note
    span: Span

    @property
    def text(self) -> str:
        return self.note.quote(self.span)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a summary may take; characters as nlp_core.summary counts them."""

    items: int
    characters: int


Choose = Callable[[ReadChart, Budget], list[Placed]]


def by_summary(knowledge: Knowledge) -> Choose:
    """What the product shows."""

    def choose(read: ReadChart, budget: Budget) -> list[Placed]:
        notes = {one.note.reference: one.note for one in read.notes}
        summariser = Summariser(knowledge, most_items=budget.items, most_characters=budget.characters)
        return [Placed(notes[item.reference], item.span) for item in summariser.summarise(read).items]

    return choose


def leading(read: ReadChart, budget: Budget) -> list[Placed]:
    """The first sentences of the newest note, then of the next."""
    return within(sentences_of(read), budget)


def at_random(seed: int) -> Choose:
    """Any, in an order drawn anew for each chart."""
    random = np.random.default_rng(seed)

    def choose(read: ReadChart, budget: Budget) -> list[Placed]:
        sentences = sentences_of(read)
        return within([sentences[int(place)] for place in random.permutation(len(sentences))], budget)

    return choose


def central(read: ReadChart, budget: Budget) -> list[Placed]:
    """Those most like all others: the sum of their TF-IDF likenesses."""
    sentences = sentences_of(read)
    return within(_ordered(sentences, likenesses(sentences).sum(axis=1)), budget)


def textrank(read: ReadChart, budget: Budget) -> list[Placed]:
    """TextRank: PageRank (networkx) over the same likenesses."""
    import networkx  # of the training requirements

    sentences = sentences_of(read)
    if len(sentences) < 2:
        return within(sentences, budget)
    ranks = networkx.pagerank(networkx.from_numpy_array(likenesses(sentences)))
    return within(_ordered(sentences, np.array([ranks[place] for place in range(len(sentences))])), budget)


def sentences_of(read: ReadChart) -> list[Placed]:
    """Every sentence once, equal ones from the newest note."""
    once: dict[str, Placed] = {}
    for note in read.notes:
        for said in note.sentences:
            placed = Placed(note.note, said.span)
            once.setdefault(placed.text, placed)
    return list(once.values())


def likenesses(sentences: Sequence[Placed]) -> Floats:
    """[sentences, sentences]: cosine of TF-IDF over pairs and triples of letters, which serve Chinese too; 0 with itself."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not sentences:
        return np.zeros((0, 0))
    weights = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3)).fit_transform([one.text for one in sentences])
    found = np.asarray((weights @ weights.T).toarray(), dtype=np.float64)
    np.fill_diagonal(found, 0.0)
    return found


def within(ordered: Sequence[Placed], budget: Budget) -> list[Placed]:
    """Those taken in turn that still fit."""
    return list(_fitting(ordered, budget))


def _fitting(ordered: Sequence[Placed], budget: Budget) -> Iterator[Placed]:
    left, count = float(budget.characters), 0
    for one in ordered:
        if count < budget.items and size(one.text) <= left:
            left -= size(one.text)
            count += 1
            yield one


def _ordered(sentences: Sequence[Placed], worth: Floats) -> list[Placed]:
    return [sentences[int(place)] for place in np.argsort(-worth, kind="stable")]
