"""The demo EHR's authorization server: for this machine and its one client alone, codes for one use, PKCE with S256."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from cds_hooks.demo_ehr import authorization
from cds_hooks.demo_ehr.registered_viewer import CLIENT_ID, FHIR_PATH, fhir_server, with_demo_viewer
from cds_hooks.demo_ehr.smart_server import PATH
from cds_hooks.settings import Settings
from tests.cds_hooks.conftest import Serve, Served

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
OPENED = {"userId": "Practitioner/demo-7", "patientId": "pat-1", "appContext": "kept-view"}
GETS = (f"{FHIR_PATH}/.well-known/smart-configuration", f"{PATH}authorize", f"{PATH}jwks")
POSTS = (f"{PATH}launch", f"{PATH}token")


@pytest.fixture(scope="module")
def demo(serve: Serve) -> Served:
    return serve(demo_page=True)


def launched(demo: Served, **changes: str) -> httpx.Response:
    return demo.http.post(f"{PATH}launch", data=OPENED | changes)


def query_of(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def authorized(demo: Served, **changes: str) -> httpx.Response:
    """With a fresh launch; `changes` to the request."""
    launch = query_of(launched(demo).headers["location"])["launch"]
    asked = {
        "response_type": "code", "client_id": CLIENT_ID, "redirect_uri": f"{demo.url}/viewer/callback",
        "scope": "openid fhirUser launch", "state": "state-1", "nonce": "nonce-1", "aud": demo.url + FHIR_PATH,
        "code_challenge": CHALLENGE, "code_challenge_method": "S256", "launch": launch,
    }  # fmt: skip
    return demo.http.get(f"{PATH}authorize", params=asked | changes)


def exchanged(demo: Served, code: str, **changes: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": f"{demo.url}/viewer/callback"}
    return demo.http.post(f"{PATH}token", data=form | {"code_verifier": VERIFIER, "client_id": CLIENT_ID} | changes)


def code_of(demo: Served) -> str:
    return query_of(authorized(demo).headers["location"])["code"]


def test_a_code_brings_user_patient_and_the_links_context_signed_with_the_published_key(demo: Served) -> None:
    configuration = demo.http.get(GETS[0]).json()
    assert configuration["code_challenge_methods_supported"] == ["S256"]
    answer = authorized(demo)
    assert answer.status_code == 303
    said = query_of(answer.headers["location"])
    assert (said["state"], said["iss"]) == ("state-1", configuration["issuer"])
    token = exchanged(demo, said["code"])
    assert token.headers["cache-control"] == "no-store"
    granted = token.json()
    assert (granted["patient"], granted["appContext"]) == ("pat-1", "kept-view")
    (key,) = demo.http.get(urlsplit(configuration["jwks_uri"]).path).json()["keys"]
    assert "d" not in key
    claims = jwt.decode(granted["id_token"], jwt.PyJWK(key), ["ES256"], audience=CLIENT_ID, issuer=demo.url)
    assert claims["fhirUser"] == f"{demo.url}{FHIR_PATH}/Practitioner/demo-7"
    assert claims["nonce"] == "nonce-1"


@pytest.mark.parametrize(
    "changes",
    [{"code_verifier": "w" * 43}, {"redirect_uri": "https://evil.example"}, {"client_id": "other"},
     {"grant_type": "client_credentials"}],
)  # fmt: skip
def test_a_code_shown_wrongly_is_refused_and_spent(demo: Served, changes: dict[str, str]) -> None:
    code = code_of(demo)
    assert exchanged(demo, code, **changes).status_code == 400
    assert exchanged(demo, code).status_code == 400


def test_a_code_and_a_launch_are_for_one_use_and_a_minute(demo: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    code = code_of(demo)
    assert exchanged(demo, "guessed").status_code == 400
    assert [exchanged(demo, code).status_code for _ in range(2)] == [200, 400]
    launch = query_of(launched(demo).headers["location"])["launch"]
    assert "code" in query_of(authorized(demo, launch=launch).headers["location"])
    assert query_of(authorized(demo, launch=launch).headers["location"])["error"] == "access_denied"
    monkeypatch.setattr(authorization, "SECONDS", -1)
    assert exchanged(demo, code_of_old(demo)).status_code == 400


def code_of_old(demo: Served) -> str:
    """A code whose time is over; where even the launch's is, any."""
    return query_of(authorized(demo).headers["location"]).get("code", "none")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"aud": "https://other.example/fhir"}, "invalid_request"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"launch": "guessed"}, "access_denied"),
    ],
)
def test_what_is_not_asked_as_smart_asks_gets_an_error_and_no_code(
    demo: Served, changes: dict[str, str], error: str
) -> None:
    said = query_of(authorized(demo, **changes).headers["location"])
    assert (said["error"], said["state"]) == (error, "state-1")
    assert "code" not in said


@pytest.mark.parametrize("changes", [{"redirect_uri": "https://evil.example/"}, {"client_id": "other"}])
def test_nobody_is_sent_to_an_address_that_is_not_registered(demo: Served, changes: dict[str, str]) -> None:
    answer = authorized(demo, **changes)
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_a_page_elsewhere_opens_no_app(demo: Served) -> None:
    assert launched(demo).status_code == 303
    answer = demo.http.post(f"{PATH}launch", data=OPENED, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "changes", [{"userId": "Device/7"}, {"patientId": "../x"}, {"appContext": "a b"}, {"patientId": "x" * 9000}]
)
def test_what_the_ehr_would_not_open_is_refused_without_being_repeated(demo: Served, changes: dict[str, str]) -> None:
    answer = launched(demo, **changes)
    assert answer.status_code in (400, 413)
    assert next(iter(changes.values())) not in answer.text


def test_it_is_absent_without_the_demo_and_for_every_other_name(web: Served, demo: Served) -> None:
    def statuses(served: Served, **headers: str) -> set[int]:
        gets = [served.http.get(path, headers=headers).status_code for path in GETS]
        return {*gets, *(served.http.post(path, data={"a": "b"}, headers=headers).status_code for path in POSTS)}

    assert statuses(web) == {404}
    assert statuses(demo, host="ehr.example.org") == {404}
    assert 404 not in statuses(demo)


def test_a_process_without_the_demo_gets_no_viewer_by_it() -> None:
    given: dict[str, Any] = {"development": True, "public_base_url": "http://127.0.0.1:8000"}
    assert with_demo_viewer(Settings(**given)).viewer_clients == {}
    served = with_demo_viewer(Settings(**given, demo_page=True))
    client = served.viewer_clients[fhir_server(served)]
    assert client.frame_ancestors == ("http://127.0.0.1:8000",)
    assert Settings(**served.model_dump(exclude={"feedback_database_url"})).viewer_clients, "what is added is valid"
