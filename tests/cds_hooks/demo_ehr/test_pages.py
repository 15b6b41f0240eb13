"""The demo EHR's addresses: there only where a setting says so, for this machine alone, and small."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any, get_args

import httpx
import pytest
from pydantic import ValidationError

from cds_hooks.__main__ import chosen_settings, main
from cds_hooks.app import create_app
from cds_hooks.demo_ehr.page_words import WORDS
from cds_hooks.demo_ehr.pages import ASSETS, PATH, STATIC
from cds_hooks.memory.suppression import Hiding
from cds_hooks.reason_words import REASONS
from cds_hooks.settings import Settings
from nlp_core.assessment import Silence
from requirements import vendored
from tests.cds_hooks.conftest import Serve, Served
from tests.cds_hooks.stand_ins import PlainCards, PlainClient, PlainFeedback
from worker.client import Degraded

ADDRESSES = (PATH, f"{PATH}charts", *(f"{PATH}static/{name}" for name in ASSETS))


@pytest.fixture(scope="module")
def demo(serve: Serve) -> Served:
    return serve(demo_page=True)


def test_the_demo_is_absent_unless_it_is_enabled(web: Served, demo: Served) -> None:
    assert [web.http.get(path).status_code for path in ADDRESSES] == [404] * len(ADDRESSES)
    assert [demo.http.get(path).status_code for path in ADDRESSES] == [200] * len(ADDRESSES)


@pytest.mark.parametrize(
    "changes",
    [
        {"development": False, "public_base_url": "https://cds.example.org"},
        {"development": False, "auth": False},
        {"public_base_url": "https://cds.example.org"},
        {"public_base_url": "http://0.0.0.0:8000"},
        {"auth": True},
    ],
)
def test_the_demo_is_refused_outside_development_at_a_loopback_address(changes: dict[str, Any]) -> None:
    issuers = {"https://ehr.example.org": {"tenant": "a", "jku": "https://ehr.example.org/jwks.json"}}
    given = {"development": True, "demo_page": True, "trusted_issuers": issuers}
    assert Settings(**given).demo_page
    with pytest.raises(ValidationError, match="demo_page is for development"):
        Settings(**(given | changes))


def test_the_service_does_not_start_with_the_demo_at_another_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DXSPAN_DEMO_PAGE", "true")
    assert main(["--host", "0.0.0.0", "--development"]) == 2
    monkeypatch.setenv("DXSPAN_PUBLIC_BASE_URL", "http://127.0.0.1:8000")
    assert main(["--host", "0.0.0.0", "--development"]) == 2
    said = capsys.readouterr().err
    assert said.count("demo_page is for development") == 1
    assert "DXSPAN_DEMO_PAGE: the demo EHR is served at a loopback address alone" in said
    assert not chosen_settings("127.0.0.1", 8000, {}).model_fields["demo_page"].default


@pytest.mark.parametrize("host", ["ehr.example.org", "127.0.0.1.example.org:80", "10.0.0.7:8000", "", "localhost@x"])
def test_a_foreign_name_for_this_machine_gets_nothing(demo: Served, host: str) -> None:
    answers = [demo.http.get(path, headers={"host": host}) for path in ADDRESSES]
    assert {answer.status_code for answer in answers} == {404}


def test_a_client_elsewhere_gets_nothing() -> None:
    app = create_app(
        Settings(development=True, demo_page=True), PlainClient(), cards=PlainCards(), feedback=PlainFeedback()
    )

    async def status(client: str) -> int:
        transport = httpx.ASGITransport(app, client=(client, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
            return (await http.get(PATH)).status_code

    addresses = ("192.0.2.7", "10.0.0.7", "::ffff:192.0.2.7", "127.0.0.1", "::1")
    assert [asyncio.run(status(client)) for client in addresses] == [404, 404, 404, 200, 200]


def test_every_answer_has_a_strict_policy_and_is_not_stored(demo: Served) -> None:
    for path in ADDRESSES:
        headers = demo.http.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'; base-uri 'none'; object-src 'none'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
    page = demo.http.get(PATH).text
    assert page.count("<script") == 1
    assert "<style" not in page
    assert "style=" not in page


def test_the_page_and_all_it_loads_weigh_less_than_200_kb(demo: Served) -> None:
    assert sum(len(demo.http.get(path).content) for path in ADDRESSES) < 200_000


def test_each_visit_has_patients_of_its_own(demo: Served) -> None:
    visits = [demo.http.get(f"{PATH}charts").json()["patients"] for _ in range(2)]
    ids = [{patient["request"]["context"]["patientId"] for patient in visit} for visit in visits]
    assert len(ids[0]) == len(ids[1]) == 8
    assert ids[0].isdisjoint(ids[1])
    for patient in visits[0]:
        request = patient["request"]
        subject = f"Patient/{request['context']['patientId']}"
        assert request["prefetch"]["patient"]["id"] == request["context"]["patientId"]
        assert {entry["resource"]["subject"]["reference"] for entry in request["prefetch"]["documents"]["entry"]} == {
            subject
        }
    assert len({patient["request"]["context"]["userId"] for patient in visits[0]}) == 1


def test_the_page_has_words_for_every_reason_and_for_every_word_it_says() -> None:
    assert {*get_args(Silence), *get_args(Hiding), *get_args(Degraded)} <= REASONS.keys()
    assert REASONS.keys().isdisjoint(WORDS)
    for said in (*REASONS.values(), *WORDS.values()):
        assert said.en
        assert said.zh
        assert said.en != said.zh


def test_the_library_is_the_locked_one_byte_for_byte() -> None:
    record = json.loads((STATIC / vendored.RECORD).read_text(encoding="utf-8"))
    module = (STATIC / vendored.MODULE).read_bytes()
    locked = json.loads((vendored.RENDERERS / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert record["integrity"] == locked[vendored.PACKAGE]["integrity"]
    assert record["sha256"] == hashlib.sha256(module).hexdigest()
    assert "MIT" in record["licence"]
    installed = vendored.RENDERERS / vendored.PACKAGE / "dist" / "browser" / vendored.MODULE
    if installed.exists():
        assert installed.read_bytes() == module
