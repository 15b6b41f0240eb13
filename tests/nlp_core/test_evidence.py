"""The words for and against a diagnosis: the strongest first, each once, each a slice of its note."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nlp_core.assessment import Evidence
from nlp_core.diagnoses import Ranked, told_key
from nlp_core.evidence import LEAST_AGAINST, LEAST_CHANCE, LEAST_FOR, MOST_AGAINST, MOST_FOR, evidence_of
from nlp_core.findings import ChartFindings, Observed, Source, Told
from nlp_core.note import Note, Span
from nlp_core.reading_trust import Meaning
from tests.nlp_core.small_charts import days_ago, found_of
from tests.nlp_core.small_knowledge import small_knowledge


def ranked(shares: dict[str, float]) -> Ranked:
    return Ranked(small_knowledge().diagnoses["influenza"], 0.0, 0.5, shares)


def evidence(shares: dict[str, float], found: ChartFindings) -> tuple[list[Evidence], list[Evidence]]:
    speaking_for, speaking_against = evidence_of(ranked(shares), found, small_knowledge())
    return list(speaking_for), list(speaking_against)


def test_what_raises_speaks_for_and_what_lowers_against_strongest_first() -> None:
    shares = {"cough": 0.5, "fever": 1.5, "runny_nose": -0.5, "headache": -1.5}
    speaking_for, speaking_against = evidence(shares, found_of(["cough", "fever", "runny_nose"], ["headache"]))
    assert [(item.finding, item.share) for item in speaking_for] == [("fever", 1.5), ("cough", 0.5)]
    assert [(item.finding, item.share) for item in speaking_against] == [("headache", -1.5), ("runny_nose", -0.5)]


def test_evidence_says_whether_the_patient_has_it() -> None:
    (present,), (absent,) = evidence({"cough": 1, "fever": -1}, found_of(["cough"], ["fever"]))
    assert (present.present, absent.present) == (True, False)


def test_a_share_too_small_to_matter_is_left_out() -> None:
    shares = {"cough": LEAST_FOR - 0.01, "fever": LEAST_AGAINST + 0.01}
    assert evidence(shares, found_of(["cough", "fever"])) == ([], [])


def test_only_the_strongest_are_shown() -> None:
    findings = sorted(small_knowledge().findings)
    shares = {entry: 1 + place / 10 for place, entry in enumerate(findings)}
    speaking_for, _ = evidence(shares, found_of(findings))
    assert [item.finding for item in speaking_for] == findings[::-1][:MOST_FOR]
    _, speaking_against = evidence({entry: -share for entry, share in shares.items()}, found_of(findings))
    assert len(speaking_against) == MOST_AGAINST


def test_evidence_carries_words_names_and_source() -> None:
    note = Note(reference="DocumentReference/7", text="Bad cough.", kind="Visit note", author_role="Nurse")
    span = Span(start=4, end=9)
    source = Source(note.reference, span, note.quote(span), note.kind, note.author_role, days_ago(1))
    found = ChartFindings({"cough": Observed("cough", True, (source,))}, {})
    (item,), _ = evidence({"cough": 1.0}, found)
    assert item.span is not None
    assert note.quote(item.span) == item.quote == "cough"
    assert item.names == small_knowledge().findings["cough"].names.display
    assert (item.reference, item.kind, item.author_role, item.date) == (
        "DocumentReference/7", "Visit note", "Nurse", days_ago(1),
    )  # fmt: skip


def test_the_same_words_are_quoted_once_for_the_stronger_finding() -> None:
    source = Source("DocumentReference/1", Span(start=0, end=6), "T 39.5", "note")
    found = ChartFindings({f: Observed(f, True, (source,)) for f in ("fever", "high_fever")}, {})
    (item,), _ = evidence({"fever": 1.0, "high_fever": 2.0}, found)
    assert item.finding == "high_fever"


def told(*spans: tuple[int, int]) -> list[Told]:
    sources = [Source("DocumentReference/1", Span(start=a, end=b), "words"[: b - a], "note") for a, b in spans]
    return [Told(source, np.zeros(0, np.float32)) for source in sources]


def test_a_sentence_as_a_whole_is_quoted_where_none_of_its_words_are() -> None:
    source = Source("DocumentReference/1", Span(start=3, end=8), "cough", "note")
    found = ChartFindings({"cough": Observed("cough", True, (source,))}, {}, told((0, 20), (20, 40)))
    speaking_for, _ = evidence({"cough": 1.0, told_key(0): 3.0, told_key(1): 2.0}, found)
    assert [(one.finding, one.span.start if one.span else None) for one in speaking_for] == [("", 20), ("cough", 3)]


def test_that_a_sentence_reads_otherwise_is_quoted_against_nothing() -> None:
    assert evidence({told_key(0): -3.0}, ChartFindings(told=told((0, 20)))) == ([], [])


def test_the_best_source_is_quoted() -> None:
    newest, older = (Source(f"DocumentReference/{n}", Span(start=0, end=5), "cough", "note") for n in (1, 2))
    (item,), _ = evidence({"cough": 1.0}, ChartFindings({"cough": Observed("cough", True, (newest, older))}, {}))
    assert item.reference == "DocumentReference/1"


@pytest.mark.parametrize("shares", [{}, {"cough": 0.0}])
def test_nothing_that_moves_it_is_no_evidence(shares: dict[str, float]) -> None:
    assert evidence(shares, found_of(["cough"])) == ([], [])


def test_words_that_hardly_mean_a_finding_are_not_quoted_for_it() -> None:
    def found(chance: float) -> ChartFindings:
        source = Source("DocumentReference/1", Span(start=0, end=5), "bones", "note")
        meanings = (Meaning("cough", 0.7, 0.6), Meaning("fever", 0.6, chance))
        return ChartFindings({"cough": Observed("cough", True, (source,), 0.6 + chance, meanings)}, {})

    means_fever = replace(ranked({"cough": 1.0}), meant=lambda: {"cough": "fever"})
    for chance, quoted in ((LEAST_CHANCE + 0.01, ["fever"]), (LEAST_CHANCE - 0.01, [])):
        speaking_for, _ = evidence_of(means_fever, found(chance), small_knowledge())
        assert [item.finding for item in speaking_for] == quoted
