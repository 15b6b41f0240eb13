"""Group A of the fault matrix: no token is ever accepted unchecked. Over real HTTP; each test names its row."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cds_hooks.replay_store import RedisReplayStore
from tests.cds_hooks import tokens
from tests.cds_hooks.charts import SERVICE, authorization, call, document, prefetch
from tests.cds_hooks.conftest import Serve, Served
from tests.cds_hooks.key_server import KeyServer
from tests.fhir_server import FhirServer
from worker.local_redis import LocalRedis, ensure_server

DISCOVERY = "/cds-services"


def refused(answer: httpx.Response) -> None:
    assert answer.status_code == 401
    assert answer.content == b""


def with_token(web: Served, text: str, path: str = SERVICE) -> httpx.Response:
    return web.http.post(path, json=call(), headers=tokens.bearer(text))


def unsigned(header: Any, claims: Any, signature: bytes = b"x") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.fixture
def aud(guarded: Served) -> str:
    return guarded.url + SERVICE


def test_a_good_token_is_accepted_and_names_the_tenant(guarded: Served) -> None:
    answer = guarded.signed(call())
    assert answer.status_code == 200
    assert guarded.reader.tenants[-1] == "hospital-a"


def test_both_recommended_algorithms_are_accepted(guarded: Served) -> None:
    assert guarded.signed(call(), key=tokens.RSA_KEY, algorithm="RS384").status_code == 200
    assert guarded.signed(call(), key=tokens.EC_KEY, algorithm="ES384").status_code == 200


def test_a01_no_authorization_is_401_with_an_empty_body(guarded: Served) -> None:
    answer = guarded.call(call())
    refused(answer)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer garbage", "Bearer a.b", "Bearer a.b.c.d", "Basic dXNlcjpwYXNz", "Bearer ..", "Bearer =.=.="],
)
def test_a02_garbage_is_401(guarded: Served, header: str) -> None:
    refused(guarded.call(call(), authorization=header))


def test_a02_a_megabyte_of_token_is_401_and_never_logged(
    guarded: Served, aud: str, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    refused(with_token(guarded, "canarytoken" * 100_000))
    good = tokens.token(aud)
    assert with_token(guarded, good).status_code == 200
    refused(with_token(guarded, good))
    written = json.dumps(log_lines())
    assert "canarytoken" not in written
    assert good.split(".")[2] not in written
    assert good[:60] not in written


def test_a02_two_authorization_headers_are_401(guarded: Served, aud: str) -> None:
    headers = [("authorization", f"Bearer {tokens.token(aud)}"), ("authorization", f"Bearer {tokens.token(aud)}")]
    refused(guarded.http.post(SERVICE, json=call(), headers=headers))


@pytest.mark.parametrize("algorithm", ["none", "nOnE", "NONE", "None", "", None])
def test_a03_unsigned_tokens_are_401(guarded: Served, aud: str, algorithm: str | None) -> None:
    for signature in (b"", b"x"):
        token = unsigned({"alg": algorithm, "typ": "JWT", "kid": "ec"}, tokens.claims(aud), signature)
        refused(with_token(guarded, token))
    refused(with_token(guarded, unsigned({"typ": "JWT", "kid": "ec"}, tokens.claims(aud))))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a04_hmac_with_a_public_key_as_secret_is_401(guarded: Served, aud: str, algorithm: str) -> None:
    pem = tokens.EC_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    secrets = (pem, json.dumps(tokens.jwk("ec", tokens.EC_KEY)).encode())
    for secret in secrets:
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
        text = unsigned({"alg": algorithm, "typ": "JWT", "kid": "ec"}, tokens.claims(aud)).rsplit(".", 1)[0]
        signature = base64.urlsafe_b64encode(hmac.new(secret, text.encode(), digest).digest()).rstrip(b"=").decode()
        refused(with_token(guarded, f"{text}.{signature}"))


def test_a05_algorithms_not_listed_are_401(guarded: Served) -> None:
    refused(guarded.signed(call(), key=tokens.RSA_KEY, algorithm="RS256"))
    refused(guarded.signed(call(), key=tokens.RSA_KEY, algorithm="RS512"))
    refused(guarded.signed(call(), key=tokens.RSA_KEY, algorithm="PS384"))
    refused(guarded.signed(call(), key=tokens.P256_KEY, algorithm="ES256", headers={"kid": "p256"}))


def test_a05_a_setting_allows_them(serve: Serve, key_file: Path) -> None:
    issuers = {tokens.ISSUER: {"tenant": "a", "jwks_file": key_file}}
    web = serve(auth=True, trusted_issuers=issuers, algorithms="ES256,RS256")
    assert web.signed(call(), key=tokens.P256_KEY, algorithm="ES256", headers={"kid": "p256"}).status_code == 200
    assert web.signed(call(), key=tokens.RSA_KEY, algorithm="RS256").status_code == 200
    refused(web.signed(call()))


def test_a05_a_key_of_the_other_kind_is_401(guarded: Served) -> None:
    refused(guarded.signed(call(), key=tokens.EC_KEY, headers={"kid": "rsa"}))
    refused(guarded.signed(call(), key=tokens.RSA_KEY, algorithm="RS384", headers={"kid": "ec"}))
    refused(guarded.signed(call(), key=tokens.EC_KEY, headers={"kid": "p256"}))


def test_a06_leeway_is_thirty_seconds(guarded: Served) -> None:
    now = math.ceil(time.time())
    assert guarded.signed(call(), iat=now - 100, exp=now - 28).status_code == 200
    refused(guarded.signed(call(), iat=now - 100, exp=now - 31))


def test_a07_exp_ten_years_ahead_is_401(guarded: Served) -> None:
    now = int(time.time())
    refused(guarded.signed(call(), iat=now, exp=now + 10 * 365 * 86_400))
    refused(guarded.signed(call(), iat=now, exp=now + 301))
    assert guarded.signed(call(), iat=now, exp=now + 300).status_code == 200
    refused(guarded.signed(call(), iat=now, exp=now))


@pytest.mark.parametrize("claim", ["exp", "iat", "jti", "iss", "aud"])
def test_a08_every_claim_is_required(guarded: Served, claim: str) -> None:
    refused(guarded.signed(call(), **{claim: ...}))
    refused(guarded.signed(call(), **{claim: None}))


def test_a09_times_are_integers(guarded: Served, aud: str) -> None:
    now = int(time.time())
    refused(guarded.signed(call(), exp=str(now + 100)))
    refused(guarded.signed(call(), iat=True))
    refused(guarded.signed(call(), exp=now + 100.5))
    refused(guarded.signed(call(), iat=str(now)))
    refused(guarded.signed(call(), nbf="now"))
    for number in (b"1e400", b"NaN", b"Infinity"):
        claims = json.dumps(tokens.claims(aud, exp=7)).encode().replace(b'"exp": 7', b'"exp": ' + number)
        refused(with_token(guarded, tokens.signed(claims)))


def test_a10_tokens_from_the_future_are_401(guarded: Served) -> None:
    ahead = int(time.time()) + 3600
    refused(guarded.signed(call(), iat=ahead, exp=ahead + 100))
    refused(guarded.signed(call(), nbf=ahead))


def test_a11_another_audience_is_401(guarded: Served, aud: str) -> None:
    others = [
        guarded.url + DISCOVERY,
        guarded.url + "/cds-services/another",
        aud + "/",
        aud + "/feedback",
        aud.replace("http://", "https://"),
        aud.upper(),
        aud + "?x=1",
        "",
        [],
        [guarded.url],
        {"aud": aud},
    ]
    for other in others:
        refused(with_token(guarded, tokens.token(other)))


def test_a11_discovery_and_feedback_have_their_own_audience(guarded: Served, aud: str) -> None:
    refused(guarded.http.get(DISCOVERY, headers=tokens.bearer(tokens.token(aud))))
    refused(with_token(guarded, tokens.token(aud), SERVICE + "/feedback"))
    own = tokens.token(guarded.url + SERVICE + "/feedback")
    assert with_token(guarded, own, SERVICE + "/feedback").status_code == 400, "past the token, refused for its body"


def test_a12_an_audience_list_with_ours_is_accepted(guarded: Served, aud: str) -> None:
    assert with_token(guarded, tokens.token([aud])).status_code == 200
    assert with_token(guarded, tokens.token(["https://other.example", aud])).status_code == 200


@pytest.mark.parametrize("issuer", ["https://evil.example/", tokens.ISSUER[:-1], [tokens.ISSUER], {"a": 1}, "", None])
def test_a13_issuers_not_listed_are_401(guarded: Served, aud: str, issuer: Any) -> None:
    refused(with_token(guarded, tokens.token(aud, iss=issuer)))


def test_a14_a_token_is_accepted_once(guarded: Served, aud: str) -> None:
    token = tokens.token(aud)
    assert with_token(guarded, token).status_code == 200
    refused(with_token(guarded, token))


def test_a14_a_jti_is_accepted_once_whatever_else_changes(guarded: Served, aud: str) -> None:
    jti = str(uuid.uuid4())
    assert with_token(guarded, tokens.token(aud, jti=jti)).status_code == 200
    refused(with_token(guarded, tokens.token(aud, jti=jti, key=tokens.RSA_KEY, algorithm="RS384")))


def test_a14_two_processes_accept_a_token_once_between_them(
    serve: Serve, key_file: Path, redis_server: LocalRedis
) -> None:
    issuers = {tokens.ISSUER: {"tenant": "a", "jwks_file": key_file}}
    base = "http://cds.example.org"
    settings = {"auth": True, "trusted_issuers": issuers, "redis_url": redis_server.url, "public_base_url": base}
    both = [serve(**settings), serve(**settings)]
    for _ in range(5):
        token = tokens.token(base + SERVICE)
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda n, text=token: with_token(both[n % 2], text).status_code, range(8)))
        assert sorted(statuses) == [200] + [401] * 7


def test_a15_a_jti_of_100_kb_is_401(guarded: Served) -> None:
    refused(guarded.signed(call(), jti="x" * 100_000))
    refused(guarded.signed(call(), jti="x" * 129))
    refused(guarded.signed(call(), jti=""))
    refused(guarded.signed(call(), jti=7))
    assert guarded.signed(call(), jti=str(uuid.uuid4()) + "x" * 92).status_code == 200


def test_a16_redis_down_is_503_and_not_200(serve: Serve, key_file: Path) -> None:
    issuers = {tokens.ISSUER: {"tenant": "a", "jwks_file": key_file}}
    with LocalRedis(ensure_server()) as redis_server:
        web = serve(auth=True, trusted_issuers=issuers, seen=RedisReplayStore(redis_server.url))
        assert web.signed(call()).status_code == 200
        assert web.http.get("/readyz").status_code == 200
    begun = time.monotonic()
    answer = web.signed(call())
    assert answer.status_code == 503
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert time.monotonic() - begun < 2
    assert web.http.get("/readyz").status_code == 503
    assert web.http.get("/healthz").status_code == 200


def test_a16_by_setting_this_process_tells_which_tokens_it_saw_while_redis_is_down(
    serve: Serve, key_file: Path
) -> None:
    issuers = {tokens.ISSUER: {"tenant": "a", "jwks_file": key_file}}
    with LocalRedis(ensure_server()) as redis_server:
        web = serve(auth=True, trusted_issuers=issuers, redis_url=redis_server.url, replay_fallback="memory")
        before, during = (tokens.bearer(tokens.token(web.url + SERVICE)) for _ in range(2))
        assert web.http.post(SERVICE, json=call(), headers=before).status_code == 200
    begun = time.monotonic()
    assert web.http.post(SERVICE, json=call(), headers=before).status_code == 401
    assert [web.http.post(SERVICE, json=call(), headers=during).status_code for _ in range(2)] == [200, 401]
    assert time.monotonic() - begun < 2
    assert web.http.get("/readyz").status_code == 200


def test_a17_a_foreign_jku_is_401_and_never_fetched(serve: Serve) -> None:
    with KeyServer(tokens.key_set()) as keys, KeyServer(tokens.key_set()) as evil:
        web = serve(auth=True, trusted_issuers={tokens.ISSUER: {"tenant": "a", "jku": keys.url}})
        for jku in (
            evil.url,
            keys.url + "?x",
            "file:///etc/passwd",
            keys.url.replace("http", "https"),
            "",
            7,
            [keys.url],
        ):
            refused(web.signed(call(), headers={"jku": jku}))
        assert not evil.asked
        assert not keys.asked, "a token with a foreign jku is refused before any key is looked up"
        assert web.signed(call(), headers={"jku": keys.url}).status_code == 200
        assert web.signed(call()).status_code == 200, "jku is optional"
        assert len(keys.asked) == 1


def test_a17_a_redirecting_key_server_is_not_followed(serve: Serve) -> None:
    with KeyServer(tokens.key_set()) as target, KeyServer(redirect_to=target.url) as keys:
        web = serve(auth=True, trusted_issuers={tokens.ISSUER: {"tenant": "a", "jku": keys.url}})
        refused(web.signed(call()))
        assert not target.asked


def test_a18_keys_in_the_header_are_401_and_not_used(guarded: Served) -> None:
    own = ec.generate_private_key(ec.SECP384R1())
    headers: list[dict[str, Any]] = [
        {"jwk": tokens.jwk("ec", own)},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"jwk": tokens.jwk("ec", tokens.EC_KEY)},
    ]
    for header in headers:
        refused(guarded.signed(call(), key=own, headers=header))
        refused(guarded.signed(call(), headers=header))


@pytest.mark.parametrize("kid", ["../../etc/passwd", "' OR 1=1 --", "x" * 10_000, "", "\x00", "unknown"])
def test_a18_odd_kids_are_401(guarded: Served, kid: str) -> None:
    refused(guarded.signed(call(), headers={"kid": kid}))


def test_a18_a_signature_by_another_key_is_401(guarded: Served) -> None:
    refused(guarded.signed(call(), key=ec.generate_private_key(ec.SECP384R1())))


@pytest.mark.parametrize("kind", ["JWE", "", "at+jwt", 7, None])
def test_typ_must_be_jwt(guarded: Served, kind: Any) -> None:
    refused(guarded.signed(call(), headers={"typ": kind}))
    assert guarded.signed(call(), headers={"typ": "jwt"}).status_code == 200


def test_a21_a_rotated_key_is_found_after_one_refresh(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_hooks.key_sets.REFRESH_INTERVAL", 0.0)
    new = ec.generate_private_key(ec.SECP384R1())
    with KeyServer({"keys": [tokens.jwk("old", tokens.EC_KEY)]}) as keys:
        web = serve(auth=True, trusted_issuers={tokens.ISSUER: {"tenant": "a", "jku": keys.url}})
        assert web.signed(call(), headers={"kid": "old"}).status_code == 200
        keys.document = {"keys": [tokens.jwk("new", new)]}
        assert web.signed(call(), key=new, headers={"kid": "new"}).status_code == 200
        assert len(keys.asked) == 2
        refused(web.signed(call(), headers={"kid": "old"}))


def test_a21_another_key_under_the_same_kid_takes_the_place_of_the_one_before(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cds_hooks.key_sets.REFRESH_INTERVAL", 0.0)
    monkeypatch.setattr("cds_hooks.key_sets.FRESH_SECONDS", 0.0)
    new = ec.generate_private_key(ec.SECP384R1())
    with KeyServer({"keys": [tokens.jwk("one", tokens.EC_KEY)]}) as keys:
        web = serve(auth=True, trusted_issuers={tokens.ISSUER: {"tenant": "a", "jku": keys.url}})
        for _ in range(2):
            assert web.signed(call(), headers={"kid": "one"}).status_code == 200
        refused(web.signed(call(), key=new, headers={"kid": "one"}))
        keys.document = {"keys": [tokens.jwk("one", new)]}
        assert web.signed(call(), key=new, headers={"kid": "one"}).status_code == 200
        refused(web.signed(call(), headers={"kid": "one"}))


@pytest.mark.parametrize("critical", [["exp"], ["b64"], ["https://example.org/unknown"], "exp", []])
def test_a22_critical_extensions_are_401(guarded: Served, aud: str, critical: Any) -> None:
    refused(with_token(guarded, tokens.token(aud, headers={"crit": critical})))


def test_a23_the_tenant_claim_must_be_the_issuers(guarded: Served) -> None:
    assert guarded.signed(call(), tenant="hospital-a").status_code == 200
    for other in ("hospital-b", "", 7, None, ["hospital-a"]):
        refused(guarded.signed(call(), tenant=other))


def test_a24_the_fhir_server_of_another_tenant_is_403_and_not_called(serve: Serve, key_file: Path) -> None:
    with FhirServer([document("My note.")]) as own, FhirServer([document("Other note.")]) as other:
        issuers = {
            tokens.ISSUER: {"tenant": "a", "jwks_file": key_file, "fhir_servers": ["https://fhir.a.example/r4"]},
            "https://other.example/": {
                "tenant": "b",
                "jwks_file": key_file,
                "fhir_servers": ["https://fhir.b.example/r4"],
            },
        }
        web = serve(auth=True, trusted_issuers=issuers)
        for server in (
            "https://fhir.b.example/r4",
            "https://fhir.a.example/r4evil",
            "https://fhir.a.example/",
            "https://evil.example",
        ):
            answer = web.signed(call(fhirServer=server, fhirAuthorization=authorization()))
            assert answer.status_code == 403
            assert answer.json()["issue"][0]["expression"] == ["fhirServer"]
        assert not own.asked
        assert not other.asked
        assert web.signed(call(fhirServer="https://fhir.a.example/r4/")).status_code == 200


def test_a25_discovery_wants_a_token_unless_set_otherwise(guarded: Served, serve: Serve, key_file: Path) -> None:
    refused(guarded.http.get(DISCOVERY))
    token = tokens.token(guarded.url + DISCOVERY)
    assert guarded.http.get(DISCOVERY, headers=tokens.bearer(token)).status_code == 200
    issuers = {tokens.ISSUER: {"tenant": "a", "jwks_file": key_file}}
    open_discovery = serve(auth=True, discovery_auth=False, trusted_issuers=issuers)
    assert open_discovery.http.get(DISCOVERY).status_code == 200
    refused(open_discovery.call(call()))


def test_a02_parts_that_are_no_objects_are_401(guarded: Served) -> None:
    for part in ([1], "x", 7, None):
        refused(with_token(guarded, unsigned(part, part)))


def test_a_key_that_cannot_be_read_is_401(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [tokens.jwk("ec", tokens.EC_KEY) | {"x": "AA"}]}))
    web = serve(auth=True, trusted_issuers={tokens.ISSUER: {"tenant": "a", "jwks_file": path}})
    refused(web.signed(call()))


@pytest.mark.filterwarnings("ignore:The RSA key is 1024")
def test_a_short_rsa_key_is_401(serve: Serve, tmp_path: Path) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [tokens.jwk("rsa", short)]}))
    web = serve(auth=True, trusted_issuers={tokens.ISSUER: {"tenant": "a", "jwks_file": path}})
    refused(web.signed(call(), key=short, algorithm="RS384"))


def test_every_address_wants_its_token(guarded: Served) -> None:
    refused(guarded.http.post(SERVICE + "/feedback", json={}))
    refused(guarded.post(json.dumps(call(prefetch=prefetch())).encode(), "/cds-services/unknown"))
    assert guarded.http.get("/healthz").status_code == 200


def test_a_refused_token_is_logged_with_its_reason_only(
    guarded: Served, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    refused(guarded.signed(call(), iss="https://canary-issuer.example"))
    events = [line for line in log_lines() if line["event"] == "security"]
    assert events[-1]["kind"] == "token-refused"
    assert events[-1]["reason"] == "issuer not registered"
    assert "canary" not in json.dumps(log_lines())
