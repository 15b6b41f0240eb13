"""Made-up calls are cut into slices that add up, an earlier run is gone on from, and the figures get into their page."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.fuzz import calls
from tests.fuzz.calls import CASES_OF_A_SLICE, END, EVERYTHING, START, Done, earlier, slices, table, write

DOCUMENT = {
    "paths": {
        "/cds-services": {"get": {}},
        "/cds-services/{service_id}": {"post": {"parameters": [{}], "requestBody": {}}},
        "/cds-services/{service_id}/feedback": {"post": {"parameters": [{}], "requestBody": {}}},
    }
}


def done(route: str, *, key: str = "k", cases: int = 100, passed: bool = True, document: str = "d") -> Done:
    return Done(key, document, route, "fuzzing", cases, 12.0, passed)


def test_slices_make_up_the_cases_of_each_route_and_each_once() -> None:
    cut = slices(DOCUMENT, 2000, [])
    assert len({one.key for one in cut}) == len(cut)
    for route in ("POST /cds-services/{service_id}", "POST /cds-services/{service_id}/feedback", EVERYTHING):
        ours = [one for one in cut if one.route == route and one.phases != "examples,coverage"]
        assert len(ours) * CASES_OF_A_SLICE == 2000
        assert sum(one.named for one in ours) == len(ours) / 2
    assert len([one for one in cut if one.route == "GET /cds-services"]) == 2, "there is nothing to make up"


def test_routes_can_be_chosen() -> None:
    assert {one.route for one in slices(DOCUMENT, 100, ["feedback"])} == {"POST /cds-services/{service_id}/feedback"}


def test_only_what_passed_with_the_same_document_is_not_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "DONE", tmp_path / "calls.jsonl")
    assert earlier("d") == {}
    kept = [done("a", key="1"), done("a", key="2", passed=False), done("a", key="3", document="other")]
    (tmp_path / "calls.jsonl").write_text("".join(json.dumps(asdict(one)) + "\n" for one in kept))
    assert list(earlier("d")) == ["1"]


def test_the_figures_take_the_place_of_older_ones(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    made = [done("POST /x", key="1"), done("POST /x", key="2", cases=1900), done(EVERYTHING, key="3", passed=False)]
    for _ in range(2):
        write(page, made)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert text.count("| `POST /x` | 2,000 | 24 | nothing |") == 1
    assert f"| {EVERYTHING} | 100 | 12 | **1 slices failed** |" in table(made)
