"""Row E11: the app's side of a SMART launch, against a server that speaks real HTTP and checks S256."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from cds_hooks.settings import Settings
from tests.cds_hooks.charts import document
from tests.cds_hooks.tokens import P256_KEY, RSA_KEY
from tests.cds_hooks.viewer.conftest import Serve, Viewing
from tests.cds_hooks.viewer.smart_server import CLIENT_ID, SignedIn, SmartServer


def asked_of(viewing: Viewing, **parameters: Any) -> httpx.Response:
    return viewing.visitor().http.get(f"{viewing.url}/viewer/launch", params=parameters)


def query_of(answer: httpx.Response) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def refused(answer: httpx.Response, status: int = 403) -> bool:
    assert answer.status_code == status, answer.text
    assert "location" not in answer.headers
    assert "canary" not in answer.text.lower()
    return True


def test_an_ehr_launch_asks_for_the_user_and_the_patient_with_s256(viewing: Viewing) -> None:
    begun = asked_of(viewing, iss=viewing.smart.url, launch="xyz-1")
    asked = query_of(begun)
    assert begun.status_code == 303
    assert begun.headers["location"].startswith(f"{viewing.smart.origin}/authorize?")
    assert asked["scope"] == "openid fhirUser launch"
    assert asked["launch"] == "xyz-1"
    assert asked["aud"] == viewing.smart.url
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == len(asked["state"]) == 43
    assert asked["redirect_uri"] == f"{viewing.url}/viewer/callback"


def test_a_standalone_launch_lets_the_server_ask_for_the_patient(viewing: Viewing) -> None:
    for parameters in ({"iss": viewing.smart.url}, {}):
        asked = query_of(asked_of(viewing, **parameters))
        assert asked["scope"] == "openid fhirUser launch/patient"
        assert "launch" not in asked


def test_a_launch_from_the_card_opens_its_evidence(viewing: Viewing) -> None:
    link = viewing.link()
    assert link["url"] == f"{viewing.url}/viewer/launch"
    page = viewing.visitor().open(viewing.smart.url, viewing.launch(app_context=link["appContext"]))
    assert page.status_code == 200
    assert "Canary-dry cough" in page.text


def test_a_launch_that_names_no_card_opens_the_users_last_one_of_that_patient(viewing: Viewing) -> None:
    viewing.link(user="Practitioner/alone", documents=[document(TEXT_OF_EARLIER)])
    viewing.link(user="Practitioner/alone")
    viewing.smart.standalone = SignedIn("Practitioner/alone")
    page = viewing.visitor().open(viewing.smart.url)
    assert page.status_code == 200
    assert "Canary-dry cough" in page.text


TEXT_OF_EARLIER = "High fever, body aches, no chest pain. The earlier note."


def test_e11_a_server_without_pkce_or_with_plain_alone_is_not_launched(serve_viewer: Serve) -> None:
    for methods in (None, [], ["plain"], "S256"):
        with SmartServer(configuration={"code_challenge_methods_supported": methods}) as smart:
            viewing = serve_viewer(smart=smart)
            refused(asked_of(viewing, iss=smart.url, launch="x"))
            assert smart.asked == []


def test_e11_the_challenge_is_the_hash_of_a_verifier_that_only_the_token_endpoint_learns(viewing: Viewing) -> None:
    viewing.smart.asked.clear()
    viewing.opened()
    authorize, token = [parameters for path, parameters, _ in viewing.smart.asked if path in ("/authorize", "/token")]
    digest = hashlib.sha256(token["code_verifier"].encode()).digest()
    assert authorize["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert token["code_verifier"] not in authorize.values()
    assert token["client_id"] == CLIENT_ID


def test_e11_a_code_of_another_launch_fails_at_its_verifier(viewing: Viewing) -> None:
    """An attacker's code put into the victim's own callback."""
    stolen = parse_qs(urlsplit(viewing.visitor().to_callback(viewing.smart.url, viewing.launch())).query)["code"][0]
    victim = viewing.visitor()
    callback = victim.to_callback(viewing.smart.url, viewing.launch())
    own = parse_qs(urlsplit(callback).query)["code"][0]
    refused(victim.get(callback.replace(own, stolen)))


def test_e11_a_code_or_a_state_used_twice_is_refused(viewing: Viewing) -> None:
    visitor = viewing.visitor()
    context = viewing.link()["appContext"]
    first = visitor.to_callback(viewing.smart.url, viewing.launch(app_context=context))
    ((name, secret),) = visitor.http.cookies.items()
    assert visitor.get(first).status_code == 303
    visitor.http.cookies.set(name, secret, domain="127.0.0.1")
    refused(visitor.get(first))  # the state
    used = parse_qs(urlsplit(first).query)["code"][0]
    second = visitor.to_callback(viewing.smart.url, viewing.launch(app_context=context))
    fresh = parse_qs(urlsplit(second).query)["code"][0]
    refused(visitor.get(second.replace(fresh, used)))  # the code, at the server


def test_e11_a_state_that_is_unknown_changed_missing_or_twice_is_refused(viewing: Viewing) -> None:
    visitor = viewing.visitor()
    good = visitor.to_callback(viewing.smart.url, viewing.launch())
    code, state = (parse_qs(urlsplit(good).query)[name][0] for name in ("code", "state"))
    base = f"{viewing.url}/viewer/callback"
    for query in (
        f"code={code}",
        f"code={code}&state=",
        f"code={code}&state={'A' * 43}",
        f"code={code}&state={state[:-1]}",
        f"code={code}&state={state}&state={state}",
        "error=access_denied",
    ):
        refused(visitor.get(f"{base}?{query}"))


def test_e11_a_state_of_another_browser_is_refused_and_used_up(viewing: Viewing) -> None:
    """Login CSRF: the attacker's sign-in finished in the victim's browser."""
    attacker, victim = viewing.visitor(), viewing.visitor()
    callback = attacker.to_callback(viewing.smart.url, viewing.launch(app_context=viewing.link()["appContext"]))
    refused(victim.get(callback))
    refused(attacker.get(callback))
    victim.to_callback(viewing.smart.url, viewing.launch())
    other = attacker.to_callback(viewing.smart.url, viewing.launch())
    refused(victim.get(other))  # with a launch cookie of its own


def test_two_launches_at_once_in_one_browser_do_not_meet(viewing: Viewing) -> None:
    visitor = viewing.visitor()
    context = viewing.link()["appContext"]
    callbacks = [visitor.to_callback(viewing.smart.url, viewing.launch(app_context=context)) for _ in range(2)]
    assert [visitor.get(callback).status_code for callback in callbacks] == [303, 303]


@pytest.mark.parametrize(
    "iss",
    [
        "https://evil.example/fhir",
        "{url}/../fhir",
        "{url}@evil.example",
        "{url}.evil.example/fhir",
        "{url}/r4",
        "{url}?x=1",
        "{url}#x",
        "//127.0.0.1/fhir",
        "javascript:alert(1)",
        "",
    ],
)
def test_e11_an_iss_that_is_not_registered_is_refused_and_never_called(viewing: Viewing, iss: str) -> None:
    before = len(viewing.smart.asked)
    answer = asked_of(viewing, iss=iss.format(url=viewing.smart.url), launch="x")
    refused(answer)
    assert "set-cookie" not in answer.headers
    assert len(viewing.smart.asked) == before


def test_e11_iss_or_launch_given_twice_is_refused(viewing: Viewing) -> None:
    refused(asked_of(viewing, iss=[viewing.smart.url, "https://evil.example"], launch="x"))
    refused(asked_of(viewing, iss=viewing.smart.url, launch=["x", "y"]))
    refused(asked_of(viewing, iss=viewing.smart.url, launch="x y"))


def test_e11_no_parameter_names_where_a_browser_is_sent(viewing: Viewing) -> None:
    names = ("redirect_uri", "redirect", "next", "url", "return_to", "target", "authorization_endpoint")
    elsewhere = dict.fromkeys(names, "https://evil.example/")
    begun = asked_of(viewing, iss=viewing.smart.url, launch="x", **elsewhere)
    assert begun.headers["location"].startswith(f"{viewing.smart.origin}/authorize?")
    assert "evil.example" not in begun.headers["location"]
    visitor = viewing.visitor()
    callback = visitor.to_callback(viewing.smart.url, viewing.launch(app_context=viewing.link()["appContext"]))
    arrived = visitor.http.get(callback + "".join(f"&{name}=https://evil.example/" for name in names))
    assert arrived.status_code == 303
    assert arrived.headers["location"].startswith("/viewer/session/")


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("address", ["https://evil.example/x", "javascript:alert(1)", "/authorize", 7, None])
def test_e11_a_configuration_that_points_elsewhere_is_refused(serve_viewer: Serve, name: str, address: Any) -> None:
    with SmartServer(configuration={name: address}) as smart:
        refused(asked_of(serve_viewer(smart=smart), iss=smart.url, launch="x"))


def test_an_authorization_server_elsewhere_is_used_where_the_operator_named_it(serve_viewer: Serve) -> None:
    with SmartServer() as other, SmartServer() as smart:
        endpoint = {"authorization_endpoint": f"{other.origin}/authorize"}
        smart.configuration = endpoint
        viewing = serve_viewer(smart=smart, client={"authorization_origins": [other.origin]})
        begun = asked_of(viewing, iss=smart.url, launch="x")
        assert begun.headers["location"].startswith(f"{other.origin}/authorize?")


def _unsigned(smart: SmartServer) -> None:
    smart.signing = {"key": "", "algorithm": "none", "kid": "rsa"}


def _other_key(smart: SmartServer) -> None:
    smart.signing = {"key": P256_KEY, "algorithm": "ES256", "kid": "ec"}


def _unknown_key(smart: SmartServer) -> None:
    smart.signing = {"key": RSA_KEY, "algorithm": "RS256", "kid": "unknown"}


def _secret_as_key(smart: SmartServer) -> None:
    smart.signing = {"key": "x" * 64, "algorithm": "HS256", "kid": "rsa"}


@pytest.mark.parametrize("signing", [_unsigned, _other_key, _unknown_key, _secret_as_key])
def test_e11_an_id_token_that_is_not_signed_by_the_servers_key_is_refused(serve_viewer: Serve, signing: Any) -> None:
    with SmartServer() as smart:
        viewing = serve_viewer(smart=smart)
        signing(smart)
        refused(viewing.visitor().arrive(smart.url, viewing.launch(app_context=viewing.link()["appContext"])))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": [CLIENT_ID, "another-client"]},
        {"azp": "another-client"},
        {"exp": 1},
        {"exp": None},
        {"nonce": "of-another-sign-in"},
        {"nonce": None},
        {"fhirUser": None},
        {"fhirUser": "https://evil.example/fhir/Practitioner/7"},
        {"fhirUser": "Device/7"},
    ],
)
def test_e11_an_id_token_for_another_client_server_or_sign_in_is_refused(viewing: Viewing, claims: Any) -> None:
    viewing.smart.claims = claims
    try:
        context = viewing.link()["appContext"]
        refused(viewing.visitor().arrive(viewing.smart.url, viewing.launch(app_context=context)))
    finally:
        viewing.smart.claims = {}


@pytest.mark.parametrize(
    "granted", [{"id_token": None}, {"patient": None}, {"patient": "../x"}, {"appContext": {"a": 1}}]
)
def test_e11_a_token_that_names_no_user_or_patient_is_refused(viewing: Viewing, granted: Any) -> None:
    viewing.smart.granted = granted
    try:
        context = viewing.link()["appContext"]
        refused(viewing.visitor().arrive(viewing.smart.url, viewing.launch(app_context=context)))
    finally:
        viewing.smart.granted = {}


def test_e11_an_answer_that_says_it_is_from_another_server_is_refused(viewing: Viewing) -> None:
    visitor = viewing.visitor()
    callback = visitor.to_callback(viewing.smart.url, viewing.launch(app_context=viewing.link()["appContext"]))
    refused(visitor.get(f"{callback}&iss=https://evil.example"))


def test_a_confidential_client_shows_its_secret_to_the_token_endpoint_alone(serve_viewer: Serve) -> None:
    viewing = serve_viewer(client={"client_secret": "s3cret:ü"})
    viewing.opened()
    shown = {path: headers.get("authorization", "") for path, _, headers in viewing.smart.asked}
    assert base64.b64decode(shown["/token"].removeprefix("Basic ")).decode() == f"{CLIENT_ID}:s3cret%3A%C3%BC"
    assert not shown["/authorize"]


def test_a_server_that_does_not_answer_is_said_to_be_away(serve_viewer: Serve) -> None:
    with SmartServer() as smart:
        viewing = serve_viewer(smart=smart)
    answer = asked_of(viewing, iss=smart.url, launch="x")
    assert answer.status_code == 503
    assert "cannot be opened at the moment" in answer.text


def test_the_launch_cookie_and_everything_else_of_a_launch_is_not_for_scripts_nor_stored(viewing: Viewing) -> None:
    begun = asked_of(viewing, iss=viewing.smart.url, launch="x")
    assert "HttpOnly" in begun.headers["set-cookie"]
    assert begun.headers["cache-control"] == "no-store"
    assert begun.headers["referrer-policy"] == "no-referrer"


def test_a_viewer_client_is_checked_at_start() -> None:
    iss = "https://fhir.example.org/r4"
    issuer = {"tenant": "a", "jku": "https://ehr.example.org/jwks.json", "fhir_servers": [iss]}
    good: dict[str, Any] = {
        "public_base_url": "https://cds.example.org",
        "trusted_issuers": {"https://ehr.example.org/": issuer},
    }
    client = {"tenant": "a", "client_id": "x", "frame_ancestors": ["https://ehr.example.org"]}
    assert Settings(**good, viewer_clients={iss: client}).viewer_clients[iss].client_id == "x"
    for server, changes in (
        ("https://elsewhere.example/r4", {}),
        (iss, {"tenant": "b"}),
        (iss, {"frame_ancestors": ["*"]}),
        (iss, {"frame_ancestors": ["https://ehr.example.org/path"]}),
        (iss, {"frame_ancestors": ["https://ehr.example.org; script-src *"]}),
        (iss, {"authorization_origins": ["https://*.example.org"]}),
        (iss, {"client_id": ""}),
    ):
        with pytest.raises(ValueError, match="viewer_clients"):
            Settings(**good, viewer_clients={server: client | changes})


def test_the_keys_of_the_test_server_sign_what_is_accepted() -> None:
    """Else every refusal above would show nothing."""
    assert jwt.decode(jwt.encode({"a": 1}, RSA_KEY, "RS256"), RSA_KEY.public_key(), algorithms=["RS256"]) == {"a": 1}
