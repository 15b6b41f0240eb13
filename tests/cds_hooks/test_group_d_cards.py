"""Rows D2, D12, D13 and D14, and what rows C3, C18 and C20 ask of the card, with the real card builder."""

from __future__ import annotations

import asyncio
import html
import math
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from wcwidth import iter_graphemes

from cds_hooks.app import create_app
from cds_hooks.build_cards import EXTENSION, CardBuilder
from cds_hooks.card_detail import DETAIL_LIMIT
from cds_hooks.http_server import server
from cds_hooks.safe_markdown import WORD_JOINER, inert
from cds_hooks.settings import Settings
from cds_hooks.shortened import shortened
from nlp_core import note_groups
from nlp_core.assessment import Assessment, Candidate, PartlyRead, Words
from nlp_core.chart import Chart, Unread
from nlp_core.model_faults import ScoresNotFinite
from nlp_core.note import Note
from tests.cds_hooks.assessments import BUILDER, NOTE, assessment, candidate, chart, evidence, occasion
from tests.cds_hooks.charts import PATIENT_ID, SERVICE, call, document, prefetch
from tests.cds_hooks.stand_ins import PlainFeedback
from tests.nlp_core.small_charts import EMBOLISM, small_reader
from tests.server_thread import ServerThread
from worker.in_process_client import InProcessClient
from worker.local_redis import free_port

FLAG, FAMILY, ACCENTED, THUMB = "🇨🇭", "👨‍👩‍👧", "e\u0301\u0323", "👍🏽"
CHARACTERS = [FLAG, FAMILY, ACCENTED, THUMB, "각", "நி", "W", "综"]


def card_of(read: Assessment, of: Chart | None = None, builder: CardBuilder = BUILDER, **on: Any) -> dict[str, Any]:
    (card,) = asyncio.run(builder(read, of or chart(), occasion(**on))).cards
    dumped: dict[str, Any] = card.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dumped


def detail_of(read: Assessment, of: Chart | None = None) -> str:
    """As a reader sees it."""
    detail: str = card_of(read, of)["detail"]
    assert len(detail) <= DETAIL_LIMIT
    return html.unescape(detail).replace(WORD_JOINER, "")


def whole(text: str, character: str) -> bool:
    """Does `text` consist of whole characters? Joiners are dropped: what is left of a family are three whole people."""
    return set(iter_graphemes(text)) <= set(iter_graphemes(character.replace("\u200d", "")))


# D2


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("character", CHARACTERS)
def test_d02_a_summary_is_cut_between_whole_characters(language: str, character: str) -> None:
    for ahead in range(4):
        name = "x" * ahead + character * 200
        summary = card_of(assessment(candidate(names=Words(en=name, zh=name)), language=language))["summary"]
        assert len(summary) <= 139
        lead, _, origin = summary.partition("…")
        assert origin in (" — from 1 note (2026-11-20)", "——据1份病历 (2026-11-20)")
        kept = lead.removeprefix("Consider: ").removeprefix("请考虑：")[ahead:]
        assert kept
        assert whole(kept, character)


@pytest.mark.parametrize("character", CHARACTERS)
def test_d02_quotes_note_types_and_roles_are_cut_between_whole_characters(character: str) -> None:
    for ahead in range(4):
        long = "x" * ahead + character * 200
        note = Note(reference="DocumentReference/9", text=long, kind=long, author_role=long, date=NOTE.date)
        said = detail_of(assessment(candidate(evidence_for=(evidence(long, note=note),), evidence_against=())))
        quote, _, rest = said.partition("“")[2].partition("…”")
        kind, role = (part.strip(" –,") for part in rest.split("…")[:2])
        for kept in (quote, kind, role):
            assert whole(kept[ahead:], character), kept


@given(st.text(st.sampled_from([*"a 中é…&*", *FLAG, *FAMILY, *ACCENTED, *THUMB]), max_size=60), st.integers(1, 60))
def test_d02_what_is_shortened_is_a_beginning_of_whole_characters(text: str, limit: int) -> None:
    cut = shortened(text, limit)
    assert len(cut) <= limit
    if len(text) > limit:
        graphemes = list(iter_graphemes(text))
        assert cut in {"".join(graphemes[:count]).rstrip("… ") + "…" for count in range(len(graphemes) + 1)}
    else:
        assert cut == text


@given(st.text(st.sampled_from([*"a 中&*:/@w", *FLAG, *ACCENTED, *THUMB]), max_size=60), st.integers(8, 80))
def test_d02_markdown_is_shortened_between_whole_characters_too(text: str, source: int) -> None:
    written = inert(text, source=source)
    assert len(written) <= source
    assert written.count("&#") == written.count(";"), "no entity is cut"


# D12


def test_d12_two_services_with_the_same_diagnosis_share_uuid_and_dedup_key() -> None:
    one, other = card_of(assessment(), service_id="dxspan-patient-view"), card_of(assessment(), service_id="second")
    assert one["uuid"] == other["uuid"]
    assert one["extension"][EXTENSION]["dedupKey"] == other["extension"][EXTENSION]["dedupKey"]


def test_d12_the_dedup_key_follows_the_diagnoses_and_nothing_else() -> None:
    def key(*candidates: Candidate, **changes: Any) -> str:
        card = card_of(assessment(*candidates, **changes), hook_instance=uuid.uuid4())
        return str(card["extension"][EXTENSION]["dedupKey"])

    cold = candidate("Common cold", "J00")
    assert uuid.UUID(key(candidate()))
    assert key(candidate(), cold) == key(cold, candidate())
    assert key(candidate()) == key(candidate(evidence_for=(evidence("body aches"),)), model_version="9+000000000000")
    assert key(candidate()) != key(cold)
    assert key(candidate()) != key(candidate(), cold)


# D13


class NoNumbers:
    """A reader whose model gives numbers that are none."""

    model_version = "1+000000000000"

    def __init__(self, where: str) -> None:
        self._where = where

    def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
        del chart, deadline
        if self._where == "scores":
            raise ScoresNotFinite("the scores of the diagnoses are no numbers")
        changes: dict[str, Any] = {"probability": math.nan}
        if self._where == "share":
            changes = {"evidence_for": (evidence("High fever", share=math.nan),)}
        return assessment(candidate(**changes))


Serving = Callable[[Any], httpx.Client]


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    """Starts a web process with real cards in front of a reader."""
    with ExitStack() as running:

        def start(reader: Any) -> httpx.Client:
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            client = InProcessClient(load_reader=lambda: reader)
            app = create_app(Settings(development=True, public_base_url=url), client, feedback=PlainFeedback())
            running.enter_context(ServerThread(server(app, host="127.0.0.1", port=port)))
            return running.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=30))

        yield start


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize("where", ["probability", "share", "scores"])
def test_d13_nan_from_the_model_is_no_card_and_is_counted(serving: Serving, where: str) -> None:
    def counts() -> list[float]:
        return [
            counted("dxspan_answers_total", state="degraded", reason="reader-failed"),
            counted("dxspan_readings_total", way="process", outcome="reader-failed"),
        ]

    before, faults = counts(), counted("dxspan_model_faults_total", fault="ScoresNotFinite")
    answer = serving(NoNumbers(where)).post(SERVICE, json=call()).json()
    assert answer["cards"] == []
    assert answer["extension"]["org.dxspan.status"] == {"state": "degraded", "reason": "reader-failed"}
    assert counts() == [count + 1 for count in before]
    assert counted("dxspan_model_faults_total", fault="ScoresNotFinite") == faults + (where == "scores")


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_d13_the_ends_of_the_scale_are_fine(probability: float) -> None:
    card = card_of(assessment(candidate(probability=probability)))
    assert card["extension"][EXTENSION]["diagnoses"][0]["probability"] == probability


def partly(why: str, note: Note = NOTE) -> PartlyRead:
    return PartlyRead.model_validate({"reference": note.reference, "kind": note.kind, "date": note.date, "why": why})


@pytest.mark.parametrize(
    ("why", "language", "said"),
    [
        ("model", "en", "more than known names, as the language model failed (notes: 2)"),
        ("model", "zh", "已知名称之外的内容（语言模型出错，2份病历）"),
        ("time", "en", "more than known names, as time was up (notes: 2)"),
        ("time", "zh", "已知名称之外的内容（时间已到，2份病历）"),
    ],
)
def test_d13_the_card_says_that_notes_were_read_by_names_alone(why: str, language: str, said: str) -> None:
    assert said in detail_of(assessment(partly_read=(partly(why), partly(why)), language=language))
    assert said not in detail_of(assessment(language=language))


class FailsOnNews:
    """A reader whose encoder fails on a note that says `newer`."""

    model_version = "1+abcdef012345"

    def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
        del deadline
        failed = any("newer" in note.text for note in chart.notes)
        changes: dict[str, Any] = {"silence": "partly_read", "partly_read": (partly("model"),)}
        return assessment(**(changes if failed else {}))


def test_d13_where_names_alone_show_nothing_the_last_card_stands_in_marked(serving: Serving) -> None:
    web = serving(FailsOnNews())
    first = web.post(SERVICE, json=call(prefetch=prefetch(document("Seen.")))).json()
    assert first["cards"]
    for user in ("first", "second"):
        notes = (document("A newer one.", number=2, date="2026-11-21T08:00:00Z"), document("Seen."))
        context = {"userId": f"Practitioner/{user}", "patientId": PATIENT_ID}
        answer = web.post(SERVICE, json=call(prefetch=prefetch(*notes), context=context)).json()
        (card,) = answer["cards"]
        assert "newer note not yet read" in card["summary"]
        status = answer["extension"]["org.dxspan.status"]
        assert (status["state"], status["reason"]) == ("degraded", "partly-read"), "and what failed was not kept"


# D14


class Fixed:
    """A reader that always reads the same."""

    model_version = "1+abcdef012345"

    def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
        del chart, deadline
        return assessment()


def test_d14_the_same_request_twice_is_the_same_card(serving: Serving) -> None:
    web, again = serving(Fixed()), serving(Fixed())
    body = call()

    def answer(http: httpx.Client, **changes: Any) -> str:
        return http.post(SERVICE, json=body | changes).text.replace(str(http.base_url).rstrip("/"), "")

    first = answer(web)
    assert answer(web) == first
    assert answer(again) == first, "not because it was kept"
    other = answer(web, hookInstance=str(uuid.uuid4()))
    assert other != first
    assert _without_uuids(other) == _without_uuids(first)


def _without_uuids(answer: str) -> Any:
    found = orjson.loads(answer)
    assert found["cards"]
    for card in found["cards"]:
        del card["uuid"]
        for suggestion in card["suggestions"]:
            del suggestion["uuid"]
    return found


def test_d14_what_is_proposed_is_the_same_all_day() -> None:
    def proposed(hour: int) -> Any:
        now = datetime(2026, 11, 23, hour, 30, tzinfo=UTC)
        card = card_of(assessment(), builder=CardBuilder("https://cds.example.org", now=lambda: now))
        return [action["resource"] for suggestion in card["suggestions"] for action in suggestion["actions"]]

    assert proposed(1) == proposed(22)
    assert {condition["recordedDate"] for condition in proposed(1)} == {"2026-11-23"}


# C3, C18, C20, as far as they are the card's


def test_c03_the_card_names_the_note_that_was_read_to_its_limit() -> None:
    said = detail_of(assessment(partly_read=(partly("length"),)))
    assert "the rest of a very long note (Clinic note, 2026-11-20)" in said
    in_chinese = detail_of(assessment(partly_read=(partly("length"),), language="zh"))
    assert "过长病历（Clinic note, 2026-11-20）的其余部分" in in_chinese


def test_c03_what_is_read_of_an_endless_note_is_on_the_card_with_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_groups, "MAX_CHARACTERS", 200)
    text = EMBOLISM + " She feels no better, and so on." * 30
    long = Note(reference="DocumentReference/1", text=text, kind="Discharge letter", date=NOTE.date)
    of = chart(notes=(long,))
    said = detail_of(small_reader().assess(of), of)
    assert "“pleuritic chest pain”" in said
    assert "the rest of a very long note (Discharge letter, 2026-11-20)" in said


def test_c03_a_hostile_name_of_that_note_fits_and_stays_inert() -> None:
    hostile = NOTE.model_copy(update={"kind": "<b>[x](http://evil)</b>" * 40, "date": None})
    parts = (partly("length", hostile), *(partly(why) for why in ("time", "model") for _ in range(500)))
    unread = (Unread(what="DocumentReference", reason="restricted", count=500),)
    longest = candidate("Diseases with a very long name " * 9, evidence_for=(evidence("High fever", note=hostile),))
    read = assessment(longest, longest, longest, partly_read=parts, notes_unread=499)
    for language in ("en", "zh"):
        of = chart(problems_available=False, unread=unread)
        detail = card_of(read.model_copy(update={"language": language}), of)["detail"]
        assert len(detail) <= DETAIL_LIMIT
        assert "<b>" not in detail
        assert "](" not in detail
        assert detail.endswith("*"), "the template is whole"


def test_c18_what_has_no_date_is_marked_undated() -> None:
    note = NOTE.model_copy(update={"date": None})
    read = assessment(candidate(evidence_for=(evidence("High fever", note=note),)), newest_note=None)
    assert "Clinic note, Family physician, undated" in detail_of(read, chart(notes=(note,)))
    assert card_of(read, chart(notes=(note,)))["summary"].endswith("from 1 note")


@pytest.mark.parametrize(
    ("language", "said"), [("en", "restricted data, left out (3)"), ("zh", "受限资料（3份，未使用）")]
)
def test_c20_what_was_restricted_is_said_to_be_left_out(language: str, said: str) -> None:
    unread = (
        Unread(what="DocumentReference", reason="restricted", count=2),
        Unread(what="Observation", reason="restricted"),
    )
    assert said in detail_of(assessment(language=language), chart(unread=unread))
    assert said not in detail_of(assessment(language=language))
