"""How long what is hidden, to the hour; what the wire tests cannot wait for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cds_hooks.memory.suggestion_memory import Recalled, Report, Showing
from cds_hooks.memory.suppression import Suppression, newly_listed
from nlp_core.assessment import Candidate
from tests.cds_hooks.assessments import NOW, candidate, evidence

FINDINGS = frozenset({"high_fever", "body_aches"})


def recalled(outcome: str = "overridden", reason: str = "", *, days: float = 1, **changes: Any) -> Recalled:
    """Influenza, shown `days` ago in another encounter, and reported at once."""
    at = NOW - timedelta(days=days)
    known: dict[str, Any] = {
        "diagnosis": "influenza",
        "card": "c-1",
        "shown": at,
        "evidence": "e",
        "findings": FINDINGS,
        "floor": 0.0,
        "same_user": True,
        "same_encounter": False,
        "report": Report(outcome, reason, at),  # type: ignore[arg-type]
    }
    return Recalled((Showing(**(known | changes)),))


def hidden(found: Recalled, *, shown: Candidate | None = None, list_readable: bool = True) -> str | None:
    return (
        Suppression().choose([shown or candidate()], found, most=3, now=NOW, list_readable=list_readable).hiding or None
    )


@pytest.mark.parametrize("reason", ["", "action-completed", "need-more-info", "recipient-does-not-trust", "own-code"])
def test_d07_ninety_days(reason: str) -> None:
    assert hidden(recalled(reason=reason, days=89.9)) == "dismissed"
    assert hidden(recalled(reason=reason, days=90)) is None


@pytest.mark.parametrize("reason", ["cds-not-applicable", "recipient-disagrees-evidence", "patient-contraindication"])
def test_d07_what_speaks_of_the_patient_has_no_end_but_new_evidence(reason: str) -> None:
    assert hidden(recalled(reason=reason, days=2000)) == "dismissed"
    assert hidden(recalled(reason=reason, findings=FINDINGS - {"body_aches"})) is None


def test_d07_a_finding_that_speaks_by_its_absence_is_another_one() -> None:
    absent = candidate(evidence_for=(evidence("High fever", present=False), evidence("body aches")))
    assert hidden(recalled(reason="cds-not-applicable"), shown=absent) is None
    known = recalled(reason="cds-not-applicable", findings=frozenset({"no high_fever", "body_aches"}))
    assert hidden(known, shown=absent) == "dismissed"


def test_d07_neither_a_sentence_as_a_whole_nor_what_was_too_weak_to_be_told_is_news() -> None:
    sentence = evidence("dry cough").model_copy(update={"finding": ""})
    shown = candidate(evidence_for=(evidence("High fever"), evidence("body aches"), sentence))
    assert hidden(recalled(), shown=shown) == "dismissed"
    weaker = candidate(evidence_for=(evidence("High fever"), evidence("dry cough", share=0.4)))
    assert hidden(recalled(floor=0.5), shown=weaker) == "dismissed"
    assert hidden(recalled(floor=0.3), shown=weaker) is None


def test_d08_without_an_encounter_some_hours_count_as_one() -> None:
    assert hidden(recalled(reason="limited-time", days=0.49, same_encounter=None)) == "dismissed"
    assert hidden(recalled(reason="limited-time", days=0.5, same_encounter=None)) is None


def test_d09_what_never_comes_to_the_list_is_shown_again_in_the_end() -> None:
    assert hidden(recalled("accepted", days=89.9)) == "accepted"
    assert hidden(recalled("accepted", days=90)) is None


def test_d09_new_evidence_does_not_bring_back_what_was_accepted() -> None:
    assert hidden(recalled("accepted", findings=frozenset())) == "accepted"


def test_d09_it_has_left_the_list_only_where_the_list_can_be_read() -> None:
    been_there = recalled("accepted", listed=NOW - timedelta(hours=1))
    assert hidden(been_there) is None
    assert hidden(been_there, list_readable=False) == "accepted"
    assert hidden(recalled("accepted", listed=NOW - timedelta(days=2))) == "accepted", "that was before it was accepted"
    assert hidden(recalled("accepted"), shown=candidate(problem_list="past")) is None


def test_what_is_listed_is_noted_once_after_it_was_accepted() -> None:
    listed = [candidate(problem_list="active"), candidate("Common cold", problem_list="active")]
    assert newly_listed(listed, recalled("accepted")) == ("influenza",)
    assert newly_listed(listed, recalled("accepted", listed=NOW)) == ()
    assert newly_listed(listed, recalled()) == ()
    assert newly_listed([candidate()], recalled("accepted")) == ()


def test_a_muted_diagnosis_makes_room_for_the_next() -> None:
    names = [candidate(name) for name in ("A", "B", "C", "D")]
    choice = Suppression().choose(names, Recalled(muted=frozenset({"b"})), most=3, now=NOW, list_readable=True)
    assert [one.diagnosis for one in choice.shown] == ["a", "c", "d"]
    assert choice.hiding == "muted"
