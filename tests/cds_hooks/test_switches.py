"""What is switched off vanishes from all that a card says; a model in the shadow is read and nothing of it shown."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from cds_hooks import switches_file
from cds_hooks.after_answers import AfterAnswers
from cds_hooks.build_cards import EXTENSION
from cds_hooks.occasion import BuiltCards
from cds_hooks.outcome import STATUS_EXTENSION, Outcome
from cds_hooks.switch_command import main as switch
from cds_hooks.switched_answers import SwitchedAnswers
from cds_hooks.switched_cards import SwitchedCards
from cds_hooks.switches import Switches, without
from nlp_core.assessment import Assessment, NextStep, Words
from tests.cds_hooks.assessments import BUILDER, assessment, candidate, chart, occasion
from tests.cds_hooks.charts import call, document, prefetch
from tests.cds_hooks.conftest import Serve, Served
from tests.cds_hooks.spelled_out import eventually
from tests.cds_hooks.stand_ins import PlainFeedback

SINCE = "2026-11-25T08:00:00Z"
MODEL = "1+abcdef012345"
EMBOLISM = candidate("Pulmonary embolism", "I26.99", names=Words(en="Pulmonary embolism", zh="肺栓塞"))


def switched(*entries: dict[str, Any]) -> Switches:
    return Switches.model_validate({"switches": [{"reason": "a test", "since": SINCE} | one for one in entries]})


def cards(given: Switches, of: Assessment | None = None) -> BuiltCards:
    return asyncio.run(SwitchedCards(BUILDER, lambda: given)(of or assessment(), chart(), occasion()))


def shown(built: BuiltCards) -> list[str]:
    return [one["id"] for card in built.cards for one in (card.extension or {})[EXTENSION]["diagnoses"]]  # type: ignore[attr-defined]


def step(said: str, *diagnoses: str, zh: str = "检查") -> NextStep:
    return NextStep(kind="test", finding=said, words=Words(en=said, zh=zh), gain=0.3, diagnoses=diagnoses)


@pytest.mark.parametrize("named", ["influenza", "J11.1", "J111", "j11.1", "J11"])
def test_a_diagnosis_that_is_off_is_left_out_and_the_others_stay(named: str) -> None:
    assert shown(cards(switched({"diagnosis": named}))) == ["common_cold", "covid-19"]


def test_a_code_covers_its_own_children_alone() -> None:
    given = assessment(EMBOLISM, candidate(), candidate("Sequelae", "I69.9"))
    assert switched({"diagnosis": "I26"}, {"diagnosis": "J1"}).diagnoses_off(given, "any") == (EMBOLISM,)


def test_a_diagnosis_that_is_off_vanishes_from_all_that_the_card_says() -> None:
    steps = (
        step("CT angiography", "pulmonary_embolism"),
        step("Troponin", "pulmonary_embolism", "influenza"),
        step("Is it rather a pulmonary embolism?", "influenza"),
        step("Chest film", "influenza", zh="排除肺栓塞"),
        step("Influenza PCR", "influenza"),
        step("Whatever for", "gout"),
    )
    (card,) = cards(switched({"diagnosis": "I26"}), assessment(EMBOLISM, candidate(), next_steps=steps)).cards
    said = card.model_dump_json(by_alias=True)
    for gone in ("mbolism", "I26", "肺栓塞", "CT angiography", "Chest film", "Whatever"):
        assert gone not in said
    assert len(card.suggestions) == 1  # type: ignore[attr-defined]
    for left in ("Influenza PCR", "Troponin"):
        assert left in said


def test_what_is_left_too_weak_is_silent_as_the_reader_would_have_been() -> None:
    weak = assessment(EMBOLISM, candidate(probability=0.05), silence_below=0.1)
    assert without(weak, (EMBOLISM,)).silence == "weak_evidence"
    assert without(weak, ()) is weak
    assert cards(switched({"diagnosis": "I26"}), weak) == BuiltCards(silence="switched-off")


def test_a_diagnosis_may_be_off_for_one_tenant_or_one_model() -> None:
    assert "influenza" in shown(cards(switched({"diagnosis": "influenza", "tenant": "hospital-b"})))
    assert "influenza" not in shown(cards(switched({"diagnosis": "influenza", "tenant": "hospital-a"})))
    assert "influenza" in shown(cards(switched({"diagnosis": "influenza", "model_version": "2+0"})))


def test_all_diagnoses_off_is_silence_with_its_reason() -> None:
    every = switched({"diagnosis": "J11.1"}, {"diagnosis": "J00"}, {"diagnosis": "U07.1"})
    assert cards(every) == BuiltCards(silence="switched-off")


def test_what_would_not_have_been_shown_anyway_keeps_its_own_reason() -> None:
    known = assessment(candidate(problem_list="active"), EMBOLISM.model_copy(update={"problem_list": "active"}))
    assert cards(switched({"diagnosis": "I26"}), known) == BuiltCards(silence="already-known")


def left_over(given: Switches, *, feedback: PlainFeedback | None = None, **changes: Any) -> Outcome:
    """What may leave of an outcome with a card."""
    feedback = feedback or PlainFeedback()
    outcome = replace(Outcome("answered", "", cards(switched()).cards, assessment=assessment()), **changes)

    async def switched_outcome() -> Outcome:
        after = AfterAnswers()
        found = SwitchedAnswers(lambda: given, feedback, after).outcome(outcome, chart(), occasion())
        await after.close()
        return found

    return asyncio.run(switched_outcome())


def test_g16_a_model_version_that_is_off_shows_nothing() -> None:
    off = switched({"model_version": MODEL})
    found = left_over(off)
    assert (found.state, found.reason, found.cards) == ("silent", "switched-off", ())
    assert left_over(off, state="silent", reason="no_finding", cards=()).reason == "switched-off", (
        "its findings of nothing count no more than its diagnoses"
    )
    assert left_over(switched({"model_version": "another"})).cards


@pytest.mark.parametrize("mode", ["off", "shadow"])
def test_g16_an_earlier_card_of_a_model_that_is_off_does_not_stand_in_and_the_failure_stays_one(mode: str) -> None:
    given = switched({"mode": mode, "model_version": MODEL})
    found = left_over(given, state="degraded", reason="deadline", computed=datetime.now(UTC))
    assert (found.state, found.reason, found.cards, found.computed) == ("degraded", "deadline", (), None)


def test_g16_in_shadow_a_model_is_read_kept_and_not_shown() -> None:
    feedback, counted = PlainFeedback(), metric("dxspan_shadow_answers_total", state="answered", reason="")
    found = left_over(switched({"mode": "shadow", "model_version": MODEL}), feedback=feedback)
    assert (found.state, found.reason, found.cards) == ("silent", "shadow", ())
    ((tenant, answer),) = feedback.compared
    assert (tenant, answer.seen, answer.model_version) == ("hospital-a", "shadow", MODEL)
    assert answer.diagnoses == ("influenza", "common_cold", "covid-19")
    assert metric("dxspan_shadow_answers_total", state="answered", reason="") == counted + 1


def test_g16_beside_a_model_in_shadow_what_is_shown_is_kept_too_and_else_nothing() -> None:
    beside, elsewhere, without_any = PlainFeedback(), PlainFeedback(), PlainFeedback()
    assert left_over(switched({"mode": "shadow", "model_version": "2+0"}), feedback=beside).cards
    ((_, answer),) = beside.compared
    assert answer.seen == "shown"
    left_over(switched({"mode": "shadow", "model_version": "2+0", "tenant": "b"}), feedback=elsewhere)
    left_over(switched(), feedback=without_any)
    assert elsewhere.compared == without_any.compared == []


def test_a_memory_that_cannot_keep_shows_nothing_in_shadow_and_is_counted() -> None:
    lost = metric("dxspan_compared_answers_not_kept_total")
    given = switched({"mode": "shadow", "tenant": "hospital-a"})
    assert left_over(given, feedback=PlainFeedback(available=False)).reason == "shadow"
    assert metric("dxspan_compared_answers_not_kept_total") == lost + 1


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def status(web: Served, **changes: Any) -> dict[str, Any]:
    answer = web.call(call(**changes))
    assert answer.status_code == 200
    said: dict[str, Any] = answer.json()["extension"][STATUS_EXTENSION]
    assert bool(answer.json()["cards"]) is (said["state"] == "answered")
    return said


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "switches.yaml"
    path.write_text("switches: []\n")
    return path


@pytest.fixture
def web(serve: Serve, file: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setattr(switches_file, "LOOK_SECONDS", 0.05)
    return serve(switches_file=file)


def test_a_switch_works_while_serving_and_a_kept_answer_is_not_given_again(web: Served, file: Path) -> None:
    repeated = call()
    assert web.call(repeated).json()["cards"]
    assert switch(["--file", str(file), "off", "--tenant", "local", "--reason", "under review"]) == 0
    eventually(lambda: status(web) == {"state": "silent", "reason": "switched-off"})
    assert web.call(repeated).json()["cards"] == []
    charts_read = len(web.reader.charts)
    status(web)
    assert len(web.reader.charts) == charts_read, "a tenant that is off is not read"
    assert switch(["--file", str(file), "on", "--tenant", "local"]) == 0
    eventually(lambda: status(web) == {"state": "answered"})


def test_shadow_shows_nothing_remembers_nothing_as_shown_and_failures_stay_failures(web: Served, file: Path) -> None:
    switch(["--file", str(file), "shadow", "--tenant", "local", "--reason", "first weeks"])
    eventually(lambda: status(web) == {"state": "silent", "reason": "shadow"})
    remembered = len(web.feedback.shown)

    def said(note: str) -> dict[str, Any]:
        return status(web, prefetch=prefetch(document(note)))

    for note in ("fine", "known", "silence: no_finding"):
        assert said(note) == {"state": "silent", "reason": "shadow"}
    assert said("degraded: loading") == {"state": "degraded", "reason": "loading"}
    assert said("card fails") == {"state": "degraded", "reason": "cards-failed"}
    eventually(lambda: {"", "already-known", "no_finding"} <= {kept.reason for _, kept in web.feedback.compared})
    assert len(web.feedback.shown) == remembered


def test_a_file_that_breaks_is_seen_in_readiness_and_changes_nothing(web: Served, file: Path) -> None:
    assert web.http.get("/readyz").json()["switches"] == "followed"
    switch(["--file", str(file), "off", "--tenant", "local", "--reason", "under review"])
    eventually(lambda: status(web).get("reason") == "switched-off")
    file.write_text("")
    eventually(lambda: web.http.get("/readyz").json()["switches"] == "file-faulty")
    assert web.http.get("/readyz").status_code == 200, "out of service it would help nobody"
    assert status(web)["reason"] == "switched-off"
    file.write_text("switches: []\n")
    eventually(lambda: status(web) == {"state": "answered"})
    assert web.http.get("/readyz").json()["switches"] == "followed"
