"""Words that may mean several findings count, for each diagnosis, by all of them; what the chart says anyway counts once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import exp, log

import numpy as np
import pytest

from nlp_core.assertion import Assertion
from nlp_core.chart import Chart
from nlp_core.diagnoses import Patient, Reasoner
from nlp_core.evidence import evidence_of
from nlp_core.findings import ChartFindings, Observed, bring_together
from nlp_core.mentions import Mention
from nlp_core.note import Note, Span
from nlp_core.reading_trust import Meaning, ReadingTrust
from nlp_core.share_tables import ShareTables
from nlp_core.weighing import Weighed, Weigher
from tests.nlp_core.small_charts import found_of
from tests.nlp_core.small_knowledge import small_knowledge

KNOWLEDGE = small_knowledge()
PLACES = list(KNOWLEDGE.diagnoses)


def told(*meanings: tuple[str, float], present: bool = True, besides: Sequence[Observed] = ()) -> ChartFindings:
    """A chart with one clause that may mean each of these, likeliest first, and what names say besides."""
    first = meanings[0][0]
    said = tuple(Meaning(finding, 0.6, probability) for finding, probability in meanings)
    words = Observed(first, present, (), sum(probability for _, probability in meanings), said)
    return ChartFindings({first: words} | {one.finding: one for one in besides})


def weigh(found: ChartFindings) -> Weighed:
    return Weigher(KNOWLEDGE, ShareTables.of(KNOWLEDGE)).weigh(found)


def added(found: ChartFindings, finding: str, diagnosis: str) -> float:
    weighed = weigh(found)
    if finding not in weighed.findings:
        return 0.0
    return float(weighed.shares[weighed.findings.index(finding), PLACES.index(diagnosis)])


def sure(finding: str, diagnosis: str, *, present: bool = True) -> float:
    """What the finding adds where a name says it."""
    return added(ChartFindings({finding: Observed(finding, present, ())}), finding, diagnosis)


def lister(finding: str, *, without: str) -> str:
    """A diagnosis that lists `finding`, and `without` not."""
    return next(d.id for d in KNOWLEDGE.diagnoses.values() if finding in d.shares and without not in d.shares)


def test_words_speak_for_whoever_explains_one_of_their_meanings() -> None:
    found = told(("oliguria", 0.4), ("photophobia", 0.3))
    assert added(found, "oliguria", lister("oliguria", without="photophobia")) > 0.2
    assert added(found, "oliguria", lister("photophobia", without="oliguria")) > 0.2


def test_what_they_add_is_the_logarithm_of_the_mean_ratio_over_their_meanings_and_none() -> None:
    for diagnosis in PLACES:
        ratios = [sure(finding, diagnosis) for finding in ("oliguria", "photophobia")]
        expected = log(0.4 * exp(ratios[0]) + 0.3 * exp(ratios[1]) + 0.3)
        assert added(told(("oliguria", 0.4), ("photophobia", 0.3)), "oliguria", diagnosis) == pytest.approx(
            expected, abs=1e-4
        )


def test_denied_words_deny_each_of_their_meanings_as_far_as_it_is_likely() -> None:
    found = told(("oliguria", 0.5), ("photophobia", 0.4), present=False)
    diagnosis = lister("photophobia", without="oliguria")
    assert sure("photophobia", diagnosis, present=False) < added(found, "oliguria", diagnosis) < 0


@pytest.mark.parametrize("present", [True, False])
def test_a_meaning_that_a_name_states_or_denies_besides_adds_nothing(present: bool) -> None:
    diagnosis = lister("photophobia", without="oliguria")
    named = Observed("photophobia", present, ())
    alone = told(("oliguria", 0.4))
    besides = told(("oliguria", 0.4), ("photophobia", 0.3), besides=[named])
    assert added(besides, "oliguria", diagnosis) == pytest.approx(added(alone, "oliguria", diagnosis), abs=1e-6)


def test_a_meaning_that_a_named_finding_implies_adds_nothing() -> None:
    named = Observed("pleuritic_chest_pain", True, ())
    for diagnosis in PLACES:
        besides = added(told(("oliguria", 0.4), ("chest_pain", 0.3), besides=[named]), "oliguria", diagnosis)
        assert besides == pytest.approx(added(told(("oliguria", 0.4)), "oliguria", diagnosis), abs=1e-6)


def test_two_clauses_that_may_mean_the_same_count_once() -> None:
    """Each would be taken for another finding, and for this diagnosis both mean the listed one."""
    diagnosis = lister("photophobia", without="oliguria")
    one = told(("oliguria", 0.2), ("photophobia", 0.6))
    other = told(("runny_nose", 0.1), ("photophobia", 0.5))
    both = weigh(ChartFindings({**one.observed, **other.observed}))
    shares = both.shares[:, PLACES.index(diagnosis)]
    assert np.count_nonzero(shares > 0.2) == 1
    assert shares.max() == pytest.approx(added(one, "oliguria", diagnosis), abs=1e-5)


def test_nothing_found_adds_nothing() -> None:
    assert weigh(ChartFindings()).shares.shape == (0, len(PLACES))


def test_words_are_called_by_what_they_most_count_as_for_a_diagnosis() -> None:
    found = told(("oliguria", 0.4), ("photophobia", 0.3))
    ranked = {one.diagnosis.id: one for one in Reasoner(KNOWLEDGE).rank(found, Patient())}
    for finding, other in (("oliguria", "photophobia"), ("photophobia", "oliguria")):
        assert ranked[lister(finding, without=other)].meant()["oliguria"] == finding
    assert set(ranked[PLACES[0]].meant()) == {"oliguria"}


def test_evidence_names_the_meaning_and_quotes_the_words() -> None:
    named = found_of(("oliguria",))
    source = named.observed["oliguria"].sources[0]
    meanings = (Meaning("oliguria", 0.6, 0.3), Meaning("photophobia", 0.6, 0.6))
    found = ChartFindings({"oliguria": Observed("oliguria", True, (source,), 0.9, meanings)})
    diagnosis = lister("photophobia", without="oliguria")
    ranked = next(one for one in Reasoner(KNOWLEDGE).rank(found, Patient()) if one.diagnosis.id == diagnosis)
    (shown,), _ = evidence_of(ranked, found, KNOWLEDGE)
    assert (shown.finding, shown.quote) == ("photophobia", source.quote)
    assert shown.names == KNOWLEDGE.findings["photophobia"].names.display


def test_a_name_is_believed_before_other_words_for_the_same() -> None:
    text = "photophobia; she keeps the curtains drawn"
    note = Note(reference="DocumentReference/1", text=text)
    words = Span(start=13, end=len(text))
    meanings = (Meaning("photophobia", 0.7, 0.6), Meaning("headache", 0.6, 0.3))
    found = bring_together(
        Chart(as_of=datetime(2026, 1, 1, tzinfo=UTC), notes=(note,)),
        [
            (note, Mention("finding", "photophobia", words, Assertion.PRESENT, "concept", 0.9, meanings)),
            (note, Mention("finding", "photophobia", Span(start=0, end=11), Assertion.PRESENT, "name")),
        ],
        (),
        KNOWLEDGE,
        trust=ReadingTrust(ways={"name": 0.8}),
    )
    assert found.observed["photophobia"].meanings == ()
    assert found.observed["photophobia"].trust == 0.8
