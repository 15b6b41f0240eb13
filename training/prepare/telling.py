"""Which sentences of a note tell of its coded diagnoses: those with a present finding that one of them explains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from spacy.language import Language

from nlp_core.assertion import Assertion
from nlp_core.knowledge import Knowledge
from nlp_core.sections import sentences
from training.prepare.prepared_note import PreparedSentence, WeakSpan


def told_sentences(
    text: str, spans: Iterable[WeakSpan], labels: Set[str], knowledge: Knowledge, nlp: Language
) -> Iterator[PreparedSentence]:
    """Every sentence in order. labels: ids of the note's diagnoses."""
    explained = {finding for label in labels for finding in knowledge.diagnoses[label].findings}
    telling = [
        span.start
        for span in spans
        if span.assertion is Assertion.PRESENT
        and not explained.isdisjoint((span.entry, *_ancestors(span.entry, knowledge)))
    ]
    for sentence in sentences(text, nlp):
        tells = any(sentence.start <= start < sentence.end for start in telling)
        yield PreparedSentence(start=sentence.start, end=sentence.end, telling=tells)


def _ancestors(entry: str, knowledge: Knowledge) -> tuple[str, ...]:
    return knowledge.ancestors(entry) if entry in knowledge.findings else ()
