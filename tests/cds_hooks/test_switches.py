"""Kill switches and shadow mode: effective while serving, and never undone by a broken file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_hooks import switches as switches_room
from cds_hooks.build_cards import EXTENSION
from cds_hooks.occasion import BuiltCards
from cds_hooks.outcome import STATUS_EXTENSION
from cds_hooks.switch_command import main as switch
from cds_hooks.switched_cards import SwitchedCards
from cds_hooks.switches import BadSwitches, SwitchBoard, Switches, read_switches
from tests.cds_hooks.assessments import BUILDER, assessment, chart, occasion
from tests.cds_hooks.charts import call, document, prefetch
from tests.cds_hooks.conftest import Serve, Served

SINCE = "2026-11-25T08:00:00Z"


def switched(*entries: dict[str, Any]) -> Switches:
    return Switches.model_validate({"switches": [{"reason": "a test", "since": SINCE} | one for one in entries]})


def cards(given: Switches) -> BuiltCards:
    return asyncio.run(SwitchedCards(BUILDER, lambda: given)(assessment(), chart(), occasion()))


def shown(built: BuiltCards) -> list[str]:
    return [one["id"] for card in built.cards for one in (card.extension or {})[EXTENSION]["diagnoses"]]  # type: ignore[attr-defined]


def status(web: Served) -> dict[str, Any]:
    answer = web.call(call())
    assert answer.status_code == 200
    said: dict[str, Any] = answer.json()["extension"][STATUS_EXTENSION]
    assert bool(answer.json()["cards"]) is (said["state"] == "answered")
    return said


def wait_for(web: Served, wanted: dict[str, Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while status(web) != wanted:
        assert time.monotonic() < end, f"not {wanted} within {seconds} s"
        time.sleep(0.1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "switches.yaml"


@pytest.fixture
def web(serve: Serve, file: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setattr(switches_room, "CHECK_SECONDS", 0.1)
    return serve(switches_file=file)


@pytest.mark.parametrize("named", ["influenza", "J11.1"])
def test_a_diagnosis_that_is_off_is_left_out_and_the_others_stay(named: str) -> None:
    assert shown(cards(switched({"diagnosis": named}))) == ["common_cold", "covid-19"]


def test_a_diagnosis_may_be_off_for_one_tenant_or_one_model() -> None:
    assert "influenza" in shown(cards(switched({"diagnosis": "influenza", "tenant": "hospital-b"})))
    assert "influenza" not in shown(cards(switched({"diagnosis": "influenza", "tenant": "hospital-a"})))
    assert "influenza" in shown(cards(switched({"diagnosis": "influenza", "model_version": "2+0"})))


def test_all_diagnoses_off_is_silence_with_its_reason() -> None:
    every = switched({"diagnosis": "J11.1"}, {"diagnosis": "J00"}, {"diagnosis": "U07.1"})
    assert cards(every) == BuiltCards(silence="switched-off")


def test_g16_a_model_version_that_is_off_shows_nothing() -> None:
    assert cards(switched({"model_version": "1+abcdef012345"})) == BuiltCards(silence="switched-off")
    assert cards(switched({"model_version": "another"})).cards


def test_g16_in_shadow_a_model_computes_and_shows_nothing(log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    assert cards(switched({"mode": "shadow", "model_version": "1+abcdef012345"})) == BuiltCards(silence="shadow")
    (line,) = [line for line in log_lines() if line.get("event") == "shadow"]
    assert line["diagnoses"] == "influenza,common_cold,covid-19"
    assert "fever" not in str(line)


def test_a_switch_works_while_serving_and_a_kept_answer_is_not_given_again(web: Served, file: Path) -> None:
    repeated = call()
    assert web.call(repeated).json()["cards"]
    assert switch(["--file", str(file), "off", "--tenant", "local", "--reason", "under review"]) == 0
    wait_for(web, {"state": "silent", "reason": "switched-off"})
    assert web.call(repeated).json()["cards"] == []
    charts_read = len(web.reader.charts)
    status(web)
    assert len(web.reader.charts) == charts_read, "a tenant that is off is not read"
    assert switch(["--file", str(file), "on", "--tenant", "local"]) == 0
    wait_for(web, {"state": "answered"})


def test_shadow_mode_shows_nothing_and_remembers_nothing_as_shown(web: Served, file: Path) -> None:
    switch(["--file", str(file), "shadow", "--tenant", "local", "--reason", "first weeks"])
    wait_for(web, {"state": "silent", "reason": "shadow"})
    remembered = len(web.feedback.shown)
    status(web)
    assert len(web.feedback.shown) == remembered


@pytest.mark.parametrize("content", ["switches: [{diagnosis: x}]", "{", "switch: []", "- a", "switches: 3", "\x00"])
def test_a_file_that_breaks_leaves_what_was_off_off(file: Path, content: str) -> None:
    switch(["--file", str(file), "off", "--diagnosis", "influenza", "--reason", "wrong too often"])
    board = SwitchBoard(file)
    file.write_text(content)
    board.look()
    assert board.now.diagnosis_off("any", "any", "influenza", "J11.1")
    file.unlink()
    board.look()
    assert board.now.diagnosis_off("any", "any", "influenza", "J11.1")


def test_a_process_does_not_start_with_a_broken_file(file: Path) -> None:
    file.write_text("switches: [{tenant: a, reason: x, since: yesterday}]")
    with pytest.raises(BadSwitches, match=r"switches\.0\.since"):
        SwitchBoard(file)


def test_the_file_says_why_and_since_when(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    switch(["--file", str(file), "off", "--diagnosis", "J11.1", "--tenant", "a", "--reason", "流感误报"])
    (entry,) = yaml.safe_load(file.read_text())["switches"]
    assert (entry["reason"], entry["tenant"], entry["diagnosis"]) == ("流感误报", "a", "J11.1")
    switch(["--file", str(file), "show"])
    assert "off: tenant a, diagnosis J11.1 since" in capsys.readouterr().out


def test_what_was_not_off_cannot_be_switched_on(file: Path) -> None:
    assert switch(["--file", str(file), "on", "--tenant", "a"]) == 2


def test_a_diagnosis_has_no_shadow(file: Path) -> None:
    file.write_text(yaml.safe_dump({"switches": [{"mode": "shadow", "diagnosis": "x", "reason": "r", "since": SINCE}]}))
    with pytest.raises(BadSwitches, match="no shadow"):
        read_switches(file)


def test_f2_one_tenants_storm_is_refused_and_the_others_are_answered(serve: Serve, key_file: Path) -> None:
    from tests.cds_hooks import tokens

    other = "https://other.example.org"
    issuers = {
        tokens.ISSUER: {"tenant": "hospital-a", "jwks_file": key_file, "jku": tokens.JKU},
        other: {"tenant": "hospital-b", "jwks_file": key_file, "jku": tokens.JKU},
    }
    web = serve(auth=True, trusted_issuers=issuers, calls_per_second=2)
    storm = [web.signed(call()) for _ in range(40)]
    refused = [answer for answer in storm if answer.status_code == 429]
    assert len(refused) >= 20
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert refused[0].json()["issue"][0]["code"] == "throttled"
    calm = [web.signed(call(prefetch=prefetch(document("Cough."))), iss=other) for _ in range(8)]
    assert [answer.status_code for answer in calm] == [200] * 8
