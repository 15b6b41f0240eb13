"""Rows E1-E4, E8 and E9: which servers are called, and with whose token. A socket nobody may call counts who does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from cds_hooks.outbound import NetworkRules, Outbound, Unreachable
from cds_hooks.server_address import ServerAddress
from tests.cds_hooks import tokens
from tests.cds_hooks.address_tricks import ELSEWHERE, EVERY_FORM
from tests.cds_hooks.charts import (
    SERVICE,
    authorization,
    call,
    condition,
    document,
    linked_document,
    patient,
    prefetch,
)
from tests.cds_hooks.conftest import Serve, Served
from tests.cds_hooks.listener import Listener, saying
from tests.fhir_server import TOKEN, FhirServer, searchset

OURS = "https://cds.example.org"
REGISTERED = "https://ehr.example.org/fhir/r4"
EMPTY_OK = (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",)


@pytest.fixture(scope="module")
def other() -> Iterator[Listener]:
    """Somebody else's server."""
    with Listener(saying(EMPTY_OK)) as listening:
        yield listening


@pytest.fixture(scope="module")
def fhir() -> Iterator[FhirServer]:
    """The registered server, which every developer's web process may call."""
    with FhirServer([patient(), document(), condition("asthma")]) as serving:
        yield serving


@pytest.fixture
def names_resolved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts that outbound looks up: a question to DNS is a packet too."""
    asked: list[str] = []
    genuine = Outbound.get

    async def noting(self: Outbound, address: ServerAddress, *rest: Any, **more: Any) -> Any:
        asked.append(address.host)
        return await genuine(self, address, *rest, **more)

    monkeypatch.setattr(Outbound, "get", noting)
    return asked


@pytest.fixture(scope="module")
def production(serve: Serve, tmp_path_factory: pytest.TempPathFactory, key_file: Path) -> Served:
    """A web process with one client, whose FHIR server is REGISTERED."""
    issuer = {"tenant": "hospital-a", "jwks_file": key_file, "jku": tokens.JKU, "fhir_servers": [REGISTERED]}
    return serve(development=False, public_base_url=OURS, trusted_issuers={tokens.ISSUER: issuer})


@pytest.fixture(scope="module")
def fetching_keys(serve: Serve) -> Served:
    """A web process that would fetch its client's keys, were it ever to come to that."""
    issuer = {"tenant": "hospital-a", "jku": tokens.JKU}
    return serve(development=False, public_base_url=OURS, trusted_issuers={tokens.ISSUER: issuer})


@pytest.fixture(scope="module")
def open_to_anyone(serve: Serve) -> Served:
    """A web process that asks for no token; its FHIR server is REGISTERED."""
    return serve(development=False, auth=False, fhir_servers=[REGISTERED])


def signed(web: Served, body: Any, **token: Any) -> httpx.Response:
    return web.http.post(SERVICE, json=body, headers=tokens.bearer(tokens.token(OURS + SERVICE, **token)))


def form_of(form: str, other: Listener, here: str) -> str:
    return form.format(there=f"127.0.0.1:{other.port}", port=other.port, here=here)


def fetching(web: Served, fhir: FhirServer, supplied: Any = ..., **token: Any) -> httpx.Response:
    """A call that brings a token for `fhir` and only `supplied` as prefetch."""
    return web.call(call(prefetch=supplied, fhirServer=fhir.url, fhirAuthorization=authorization(**token)))


def unread(answer: httpx.Response) -> list[tuple[str, str, int]]:
    assert answer.status_code == 200, answer.text
    notices = answer.json()["extension"]["org.dxspan.status"].get("unread", [])
    return [(one["what"], one["reason"], one["count"]) for one in notices]


@pytest.mark.parametrize("form", EVERY_FORM)
def test_e01_a_fhir_server_that_is_not_the_registered_one_is_refused_before_any_packet(
    production: Served, other: Listener, names_resolved: list[str], form: str
) -> None:
    url = form_of(form, other, "ehr.example.org")
    before = other.connections
    answer = signed(production, call(prefetch=..., fhirServer=url, fhirAuthorization=authorization()))
    assert answer.status_code in (400, 403)
    assert not url or url not in answer.text
    assert TOKEN not in answer.text
    assert not names_resolved
    assert other.connections == before


@pytest.mark.parametrize("url", [REGISTERED, f"{REGISTERED}/", "https://EHR.example.org:443/fhir/r4"])
def test_e01_the_registered_base_is_known_by_its_parts(production: Served, url: str) -> None:
    assert signed(production, call(fhirServer=url, fhirAuthorization=authorization())).status_code == 200


@pytest.mark.parametrize("form", [*EVERY_FORM, tokens.JKU + "/", tokens.JKU.upper()])
def test_e01_a_jku_that_is_not_the_registered_one_is_401_before_any_packet(
    fetching_keys: Served, other: Listener, names_resolved: list[str], form: str
) -> None:
    url = form_of(form, other, "ehr.example.org")
    before = other.connections
    assert signed(fetching_keys, call(), headers={"jku": url}).status_code == 401
    assert not names_resolved
    assert other.connections == before


@pytest.mark.parametrize("form", [form for form in EVERY_FORM if form])
def test_e01_a_next_page_outside_the_base_is_not_fetched_and_that_is_said(
    web: Served, fhir: FhirServer, other: Listener, form: str
) -> None:
    before, fhir.asked[:] = other.connections, []
    page = searchset([document()]) | {"link": [{"relation": "next", "url": _at(fhir, other, form)}]}
    answer = fetching(web, fhir, prefetch(documents=page))
    assert ("documents", "not-available", 1) in unread(answer)
    assert not fhir.asked
    assert other.connections == before


@pytest.mark.parametrize("form", [form for form in EVERY_FORM if form])
def test_e01_an_attachment_or_binary_outside_the_base_is_not_fetched_and_that_is_said(
    web: Served, fhir: FhirServer, other: Listener, form: str
) -> None:
    before, fhir.asked[:] = other.connections, []
    answer = fetching(web, fhir, prefetch(document(), linked_document(_at(fhir, other, form), number=2)))
    assert unread(answer), "a document is missing and the answer says so"
    assert not fhir.asked
    assert other.connections == before


def _at(fhir: FhirServer, other: Listener, form: str) -> str:
    return form_of(form, other, f"127.0.0.1:{fhir.port}")


@pytest.mark.parametrize("form", ELSEWHERE)
def test_e01_a_base_that_is_not_registered_is_never_called_where_no_token_is_asked_for(
    open_to_anyone: Served, other: Listener, names_resolved: list[str], form: str
) -> None:
    before = other.connections
    url = form_of(form, other, "ehr.example.org")
    answer = open_to_anyone.call(call(prefetch=..., fhirServer=url, fhirAuthorization=authorization()))
    assert answer.status_code in (400, 412)
    assert not names_resolved
    assert other.connections == before


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Make names resolve to one of `answers` after the other; returns the names asked."""
    asked: list[str] = []
    left = list(answers)

    async def getaddrinfo(_: Any, host: str, port: int, **__: Any) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", (left.pop(0), port))]

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", getaddrinfo)
    return asked


def test_e02_a_name_that_changes_its_mind_is_reached_at_the_checked_address_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FhirServer([]) as checked, Listener(host="127.0.0.2", port=checked.port) as rebound:
        asked = resolving(monkeypatch, "127.0.0.1", "127.0.0.2")
        with pytest.raises(Unreachable, match="an address that is not allowed"):
            asyncio.run(_twice(f"http://ehr.example.org:{checked.port}/fhir/Condition", monkeypatch))
        assert asked == ["ehr.example.org"], "once for the request, and never again to connect"
        assert len(checked.asked) == 1, "the connection that is still open is no way around the check"
        assert not rebound.settle().connections


async def _twice(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two requests over one pool; before the second the name has come to lead to a private address."""
    outbound, rules = Outbound(), NetworkRules(loopback=True)
    address, bearer = ServerAddress.parse(url), {"authorization": f"Bearer {TOKEN}"}
    try:
        for _ in range(2):
            await outbound.get(address, rules, headers=bearer, max_bytes=10_000, seconds=3)
            resolving(monkeypatch, "10.0.0.7")
    finally:
        await outbound.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("kind", "notice"),
    [("Condition", ("problems", "not-available", 1)), ("Binary", ("DocumentReference", "not-fetched", 1))],
)
def test_e03_a_redirect_to_another_host_is_not_followed_and_the_token_stays(
    web: Served, other: Listener, kind: str, notice: tuple[str, str, int], status: int
) -> None:
    before = other.connections
    away = Response(status_code=status, headers={"location": f"http://127.0.0.1:{other.port}/fhir/{kind}"})
    with FhirServer([patient(), document(), linked_document("Binary/b1", number=2)], faults={kind: away}) as fhir:
        answer = fetching(web, fhir)
    assert notice in unread(answer)
    assert other.settle(0.05).connections == before


def test_e03_a_redirect_of_the_key_set_is_not_followed(serve: Serve, other: Listener) -> None:
    before = other.connections
    head = f"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{other.port}/jwks.json\r\ncontent-length: 0\r\n\r\n"
    with Listener(saying([head.encode()])) as keys:
        issuer = {"tenant": "hospital-a", "jku": f"http://127.0.0.1:{keys.port}/jwks.json"}
        web = serve(auth=True, trusted_issuers={tokens.ISSUER: issuer})
        assert web.signed(call()).status_code == 401
        assert keys.connections == 1
    assert other.settle(0.05).connections == before


def test_e04_an_attachment_elsewhere_is_not_fetched_even_without_the_token(web: Served, other: Listener) -> None:
    before = other.connections
    linked = linked_document(f"http://127.0.0.1:{other.port}/Binary/b1")
    with FhirServer([]) as fhir:
        assert fetching(web, fhir, prefetch(linked)).status_code == 412
        assert web.call(call(prefetch=prefetch(linked))).status_code == 412
    assert other.settle(0.05).connections == before


@pytest.mark.parametrize("seconds", [0, -1, -86_400])
def test_e08_a_spent_token_is_not_sent(web: Served, fhir: FhirServer, seconds: int) -> None:
    fhir.asked[:] = []
    assert fetching(web, fhir, expires_in=seconds).status_code == 412
    assert not fhir.asked


@pytest.mark.parametrize("token", ["a\r\nx-evil: 1", "a\nb", "a\r", "a\x00b", "x" * 100_000, "", " a", "ü"])
def test_e08_a_token_that_is_no_token_is_400_and_not_repeated(web: Served, fhir: FhirServer, token: str) -> None:
    fhir.asked[:] = []
    answer = fetching(web, fhir, access_token=token)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["fhirAuthorization.access_token"]
    assert len(answer.content) < 1000
    assert not fhir.asked


def test_e09_what_the_scopes_leave_out_is_not_asked_for_and_is_named(web: Served, fhir: FhirServer) -> None:
    fhir.asked[:] = []
    answer = fetching(web, fhir, scope="user/Patient.r user/DocumentReference.rs user/Observation.rs")
    assert {(what, reason) for what, reason, _ in unread(answer)} == {
        (key, "not-authorized") for key in ("problems", "medications", "allergies", "encounters")
    }
    assert {asked.path.split("/")[2] for asked in fhir.asked} == {"Patient", "DocumentReference", "Observation"}


def test_e09_documents_that_were_prefetched_are_read_without_a_scope_for_them(web: Served, fhir: FhirServer) -> None:
    supplied = prefetch()
    del supplied["problems"]
    answer = fetching(web, fhir, supplied, scope="user/Patient.rs")
    assert unread(answer) == [("problems", "not-authorized", 1)]
    assert answer.json()["cards"]


def test_e09_documents_without_a_scope_are_412_naming_them(web: Served, fhir: FhirServer) -> None:
    answer = fetching(web, fhir, scope="user/Patient.rs user/Condition.rs")
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["expression"] == ["prefetch.documents"]
