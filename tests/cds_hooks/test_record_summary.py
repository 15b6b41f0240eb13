"""The second service: offered where a setting says so, answered with one information card, bound by the same rules."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cds_hooks import switches_file
from cds_hooks.app import create_app
from cds_hooks.build_cards import EXTENSION
from cds_hooks.card import SUMMARY_LIMIT, Card
from cds_hooks.card_detail import DETAIL_LIMIT
from cds_hooks.http_server import server
from cds_hooks.occasion import EarlierReading
from cds_hooks.outcome import STATUS_EXTENSION
from cds_hooks.settings import Settings
from cds_hooks.summary_cards import SummaryCards
from cds_hooks.switch_command import main as switch
from nlp_core.assessment import Assessment, RecordSummary, SummaryItem
from nlp_core.note import Span
from tests.cds_hooks import tokens
from tests.cds_hooks.assessments import NOW, assessment, chart, occasion
from tests.cds_hooks.audits import Audited
from tests.cds_hooks.charts import call, document, prefetch
from tests.cds_hooks.conftest import Serve
from tests.cds_hooks.spelled_out import eventually
from tests.nlp_core.small_charts import small_reader
from tests.renderers.hostile_cards import hostile_strings
from tests.renderers.rendering import missing, render
from tests.server_thread import ServerThread
from worker.in_process_client import InProcessClient
from worker.local_redis import free_port

SUMMARY = "/cds-services/dxspan-record-summary"
DIAGNOSES = "/cds-services/dxspan-patient-view"
NOTE = "Fever and cough since Monday. Denies chest pain. Takes aspirin 100 mg daily. Blood culture pending."


@contextmanager
def offered(**changes: Any) -> Iterator[httpx.Client]:
    """A web process that offers the summary and really reads, by the small knowledge."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    known = {"development": True, "feedback_database_url": "sqlite://", "repeat_seconds": 0, "public_base_url": url}
    settings = Settings(**(known | {"record_summary": True, "deadline_ms": 10_000} | changes))
    app = create_app(settings, InProcessClient(load_reader=small_reader))
    with (
        ServerThread(server(app, host="127.0.0.1", port=port)),
        httpx.Client(base_url=url, trust_env=False, timeout=30) as http,
    ):
        eventually(lambda: http.get("/readyz").status_code == 200)
        yield http


@pytest.fixture(scope="module")
def web() -> Iterator[httpx.Client]:
    with offered() as http:
        yield http


def opens(http: httpx.Client, *notes: Any, path: str = SUMMARY, **headers: str) -> dict[str, Any]:
    """One patient-view by a user of its own."""
    context = {"userId": f"Practitioner/{uuid.uuid4()}", "patientId": "pat-1"}
    response = http.post(path, json=call(context=context, prefetch=prefetch(*notes)), headers=headers)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def status(answer: dict[str, Any]) -> tuple[str, str | None]:
    said = answer["extension"][STATUS_EXTENSION]
    return said["state"], said.get("reason")


def summed_up(*quotes: str, **fields: Any) -> Assessment:
    """An assessment whose summary is these quotes, all of one heading."""
    items = tuple(
        SummaryItem(
            heading="problem",
            reference="DocumentReference/1",
            span=Span(start=0, end=len(quote)),
            quote=quote,
            date=NOW,
            **({"kind": "Clinic note"} | fields),
        )
        for quote in quotes
    )
    return assessment(summary=RecordSummary(items=items))


def card_of(given: Assessment, **changes: Any) -> Card:
    built = asyncio.run(SummaryCards("https://cds.example.org")(given, chart(), occasion(**changes)))
    (card,) = built.cards
    assert isinstance(card, Card)
    return card


def test_it_is_off_by_default(serve: Serve) -> None:
    served = serve()
    assert [one["id"] for one in served.http.get("/cds-services").json()["services"]] == ["dxspan-patient-view"]
    assert served.http.post(SUMMARY, json=call()).status_code == 404
    assert served.http.post(f"{SUMMARY}/feedback", json={"feedback": []}).status_code == 404


def test_discovery_offers_it_with_the_same_prefetch(web: httpx.Client) -> None:
    first, second = web.get("/cds-services").json()["services"]
    assert (second["id"], second["hook"]) == ("dxspan-record-summary", "patient-view")
    assert second["prefetch"] == first["prefetch"]


def test_one_information_card_lists_the_quotes_with_note_and_date(web: httpx.Client) -> None:
    (card,) = opens(web, document(NOTE))["cards"]
    assert card["indicator"] == "info"
    assert "suggestions" not in card
    assert card["summary"] == "Record summary: 3 quoted sentences — from 1 note (2026-11-20)"
    for heading in ("**Problems**", "**Current medication**", "**Pending**", "**Course**"):
        assert (heading in card["detail"]) == (heading != "**Problems**")
    assert "Fever and cough since Monday" in card["detail"]
    assert "2026&#45;11&#45;20" in card["detail"] or "2026-11-20" in card["detail"]
    for item in card["extension"][EXTENSION]["summary"]:
        assert NOTE[item["start"] : item["end"]] == item["quote"]


def test_the_diagnosis_card_is_unchanged_and_the_chart_is_read_once(web: httpx.Client) -> None:
    notes = [document("Fever, cough and body aches. Photophobia.")]
    with_diagnoses = opens(web, *notes, path=DIAGNOSES)
    assert all("diagnoses" in card["extension"][EXTENSION] for card in with_diagnoses["cards"])
    assert status(opens(web, *notes))[0] == "answered"


def test_a_chart_without_a_diagnosis_to_show_may_be_summed_up(web: httpx.Client) -> None:
    note = document("Takes aspirin 100 mg daily. Blood culture pending.")
    assert opens(web, note, path=DIAGNOSES)["cards"] == []
    assert status(opens(web, note)) == ("answered", None)


def test_c11_a_record_of_denials_is_silent_with_its_reason(web: httpx.Client) -> None:
    answer = opens(web, document("Denies fever, cough and chest pain. Mother had headache."))
    assert (answer["cards"], status(answer)) == ([], ("silent", "no_finding"))


def test_c20_a_restricted_document_is_not_quoted(web: httpx.Client) -> None:
    restricted = document("Oliguria and photophobia.", number=2) | {"meta": {"security": [{"code": "R"}]}}
    (card,) = opens(web, document(NOTE), restricted)["cards"]
    assert "Oliguria" not in str(card)
    assert "restricted data" in card["detail"]


def test_feedback_about_the_card_is_taken(web: httpx.Client) -> None:
    (card,) = opens(web, document(NOTE))["cards"]
    item = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-20T09:00:00Z"}
    assert web.post(f"{SUMMARY}/feedback", json={"feedback": [item]}).status_code == 200


def test_a_reader_that_sums_nothing_up_is_a_failure_and_no_silence() -> None:
    built = SummaryCards("https://cds.example.org")
    with pytest.raises(ValueError, match="summary"):
        asyncio.run(built(assessment(), chart(), occasion()))


@pytest.fixture
def switches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(switches_file, "LOOK_SECONDS", 0.05)
    path = tmp_path / "switches.yaml"
    path.write_text("switches: []\n")
    return path


@pytest.mark.parametrize(
    ("command", "reason"),
    [(["off", "--tenant", "local"], "switched-off"), (["shadow", "--model-version", "test"], "shadow")],
)
def test_what_is_off_or_in_the_shadow_shows_no_summary(switches: Path, command: list[str], reason: str) -> None:
    with offered(switches_file=switches) as http:
        assert status(opens(http, document(NOTE)))[0] == "answered"
        assert switch(["--file", str(switches), *command, "--reason", "a test"]) == 0
        eventually(lambda: status(opens(http, document(NOTE))) == ("silent", reason))
        assert opens(http, document(NOTE))["cards"] == []


def test_a01_it_wants_a_token_made_for_its_own_address(key_file: Path) -> None:
    issuers = {tokens.ISSUER: {"tenant": "hospital-a", "jwks_file": key_file}}
    with offered(auth=True, trusted_issuers=issuers) as http:
        url = str(http.base_url).rstrip("/")
        body = call(prefetch=prefetch(document(NOTE)))
        for path, expected in ((SUMMARY, 200), (DIAGNOSES, 401)):
            answer = http.post(SUMMARY, json=body, headers=tokens.bearer(tokens.token(url + path)))
            assert answer.status_code == expected
        assert http.post(SUMMARY, json=body).status_code == 401


def test_the_audit_trail_names_the_card_and_no_word_of_it(tmp_path: Path) -> None:
    trail = Audited(tmp_path)
    with offered(**trail.settings) as http:
        (card,) = opens(http, document(NOTE))["cards"]
        eventually(lambda: trail.delivered() > 0)
    said = str(trail.events())
    assert card["uuid"] in said
    assert "Monday" not in said


def test_d02_the_longest_quotes_fit_and_no_entity_is_cut() -> None:
    card = card_of(summed_up(*(f"{number} " + "<*_`[1](x)" * 60 for number in range(8)), kind="#" * 300))
    assert len(card.detail) <= DETAIL_LIMIT
    assert len(card.summary) <= SUMMARY_LIMIT
    assert len(card.detail.split("&#")) == len([1 for part in card.detail.split("&#")[1:] if ";" in part[:5]]) + 1


def test_an_earlier_reading_says_so() -> None:
    card = card_of(summed_up("Fever."), earlier=EarlierReading(NOW, "note"))
    assert "newer note not yet read" in card.summary
    assert "newer note not yet read" in card.detail
    assert len(card.summary) <= SUMMARY_LIMIT


def test_d01_hostile_quotes_and_titles_are_text_in_every_renderer() -> None:
    if missing():
        pytest.skip(str(missing()))
    texts = [text for texts in hostile_strings().values() for text in texts]
    harmless, *hostile = render(
        card_of(summed_up(f"Fever {text} cough.", kind=f"Note {text}")).detail for text in ("Word", *texts)
    )
    for text, renderings in zip(texts, hostile, strict=True):
        for renderer, rendering in renderings.items():
            assert rendering.outline == harmless[renderer].outline, f"{renderer}: {text!r}"
