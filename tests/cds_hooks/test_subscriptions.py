"""Notifications of FHIR servers: a chart named is read ahead with a token of our own; whatever else they say changes nothing."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from cds_hooks.settings import Settings
from tests.cds_hooks.charts import PATIENT_ID, authorization, call, document, patient
from tests.cds_hooks.conftest import Serve, Served
from tests.cds_hooks.spelled_out import eventually
from tests.cds_hooks.token_server import CLIENT_ID, PEM, TokenServer
from tests.fhir_server import FhirServer
from worker.chart_digest import chart_digest

SECRET = "canary-secret-of-the-subscription-31f0"
PATH = "/fhir-notifications/ehr"
Resource = dict[str, Any]


@dataclass
class Subscribed:
    """A web process that a FHIR server notifies."""

    web: Served
    fhir: FhirServer
    tokens: TokenServer

    def notify(
        self, body: Any, *, path: str = PATH, secret: str = SECRET, media: str = "application/fhir+json"
    ) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": media, "authorization": f"Bearer {secret}"}
        return self.web.http.post(path, content=content, headers=headers)

    def becomes(self, body: Any, outcome: str) -> None:
        """The notification is taken, and what it names ends as `outcome`."""
        before = counted(outcome)
        assert self.notify(body).status_code == 200
        eventually(lambda: counted(outcome) == before + 1)


@pytest.fixture(scope="module")
def key_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "private.pem"
    path.write_text(PEM)
    return path


def entry(fhir: str, tokens: str, key: Path, **changes: Any) -> Resource:
    own = {"tenant": "hospital-a", "fhir_server": fhir, "secret": SECRET, "token_endpoint": tokens}
    return own | {"client_id": CLIENT_ID, "key_file": str(key), "key_id": "key-1"} | changes


@pytest.fixture(scope="module")
def subscribed(serve: Serve, key_path: Path) -> Iterator[Subscribed]:
    encounter = {"resourceType": "Encounter", "id": "enc-1", "subject": {"reference": f"Patient/{PATIENT_ID}"}}
    nobodys = {"resourceType": "Encounter", "id": "enc-2"}
    with FhirServer([patient(), document("Fever since Monday."), encounter, nobodys]) as fhir, TokenServer() as tokens:
        yield Subscribed(serve(subscriptions={"ehr": entry(fhir.url, tokens.url, key_path)}), fhir, tokens)


def status_of(kind: str, *focus: str, context: tuple[str, ...] = ()) -> Resource:
    """As R4B and R5 say it."""
    event: Resource = {"eventNumber": "1", "additionalContext": [{"reference": one} for one in context]}
    events = [event | {"focus": {"reference": one}} for one in focus]
    about = {"subscription": {"reference": "Subscription/s1"}, "topic": "http://example.org/topic/encounter-start"}
    return {
        "resourceType": "SubscriptionStatus",
        "status": "active",
        "type": kind,
        "notificationEvent": events,
        **about,
    }


def parameters_of(kind: str, *focus: str, context: tuple[str, ...] = ()) -> Resource:
    """As R4 says it by the backport."""

    def part(name: str, reference: str) -> Resource:
        return {"name": name, "valueReference": {"reference": reference}}

    events = [
        {
            "name": "notification-event",
            "part": [part("focus", one), *(part("additional-context", other) for other in context)],
        }
        for one in focus
    ]
    said = [{"name": "status", "valueCode": "active"}, {"name": "type", "valueCode": kind}]
    return {"resourceType": "Parameters", "parameter": [*said, *events]}


def bundle(status: Resource, *resources: Resource, kind: str = "history") -> Resource:
    entries = [{"resource": one} for one in (status, *resources)]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("dxspan_precompute_total", {"outcome": outcome}) or 0.0


@pytest.mark.parametrize("status", [status_of, parameters_of])
@pytest.mark.parametrize("named", ["Encounter/enc-1", f"Patient/{PATIENT_ID}", "absolute", "versioned", "context"])
def test_the_chart_that_is_named_is_read_ahead(
    subscribed: Subscribed, status: Callable[..., Resource], named: str
) -> None:
    reference = {"absolute": f"{subscribed.fhir.url}/Encounter/enc-1", "versioned": "Encounter/enc-1/_history/3"}.get(
        named, named
    )
    said = status("event-notification", reference)
    if named == "context":
        said = status("event-notification", "Appointment/7", context=(f"Patient/{PATIENT_ID}",))
    before = len(subscribed.web.reader.ahead)
    subscribed.becomes(bundle(said), "handed-over")
    ((tenant, chart),) = subscribed.web.reader.ahead[before:]
    assert tenant == "hospital-a"
    assert chart.notes[0].text == "Fever since Monday."


def test_it_is_the_chart_that_a_hook_opens_later(subscribed: Subscribed) -> None:
    subscribed.becomes(bundle(status_of("event-notification", "Encounter/enc-1")), "handed-over")
    subscribed.web.call(
        call(prefetch=..., fhirServer=subscribed.fhir.url, fhirAuthorization=authorization())
    ).raise_for_status()
    assert chart_digest(subscribed.web.reader.ahead[-1][1]) == chart_digest(subscribed.web.reader.charts[-1])


def test_a_full_resource_is_not_looked_at(subscribed: Subscribed) -> None:
    forged = document("a note that the server does not hold") | {"subject": {"reference": "Patient/somebody-else"}}
    claims = {"resourceType": "Encounter", "id": "enc-1", "subject": {"reference": "Patient/somebody-else"}}
    full = bundle(status_of("event-notification", "Encounter/enc-1"), claims, forged, kind="subscription-notification")
    subscribed.becomes(full, "handed-over")
    assert subscribed.web.reader.ahead[-1][1].notes[0].text == "Fever since Monday."
    assert not any("somebody-else" in asked.path + asked.query for asked in subscribed.fhir.asked)


@pytest.mark.parametrize("kind", ["handshake", "heartbeat", "query-status"])
@pytest.mark.parametrize("status", [status_of, parameters_of])
def test_handshake_and_heartbeat_are_answered_and_nothing_is_read(
    subscribed: Subscribed, status: Callable[..., Resource], kind: str
) -> None:
    asked = len(subscribed.fhir.asked)
    answer = subscribed.notify(bundle(status(kind, "Encounter/enc-1")))
    assert (answer.status_code, answer.content) == (200, b"")
    time.sleep(0.1)
    assert len(subscribed.fhir.asked) == asked


def test_one_token_serves_many_charts_and_its_assertion_is_short_lived(subscribed: Subscribed) -> None:
    for _ in range(3):
        subscribed.becomes(bundle(status_of("event-notification", "Encounter/enc-1")), "handed-over")
    assert len(subscribed.tokens.seen) == 1
    assert 0 < subscribed.tokens.seen[0]["exp"] - subscribed.tokens.seen[0]["iat"] <= 300


def test_a_patient_named_twice_is_read_once_and_more_than_four_are_dropped(subscribed: Subscribed) -> None:
    handed, shed = counted("handed-over"), counted("shed")
    subscribed.notify(bundle(status_of("event-notification", *["Encounter/enc-1"] * 5)))
    eventually(lambda: counted("handed-over") == handed + 1)
    missing = counted("no-data")
    subscribed.notify(bundle(status_of("event-notification", *(f"Patient/nobody-{n}" for n in range(9)))))
    eventually(lambda: (counted("shed"), counted("no-data")) == (shed + 5, missing + 4))


@pytest.mark.parametrize(
    "reference",
    ["Patient/../x", "https://elsewhere.example.org/fhir/Patient/pat-1", "Patient/pat-1?x", "Practitioner/7", "", "urn:uuid:1", "//x/Patient/1", "Patient/" + "x" * 65],
)  # fmt: skip
def test_e01_what_is_named_elsewhere_is_not_fetched(subscribed: Subscribed, reference: str) -> None:
    asked = len(subscribed.fhir.asked)
    assert subscribed.notify(bundle(status_of("event-notification", reference))).status_code == 200
    time.sleep(0.05)
    assert len(subscribed.fhir.asked) == asked


@pytest.mark.parametrize("named", ["Encounter/enc-2", "Encounter/none", "Patient/none"])
def test_what_is_not_there_or_names_nobody_is_counted(subscribed: Subscribed, named: str) -> None:
    subscribed.becomes(bundle(status_of("event-notification", named)), "no-data")


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({}, PATH, 401),
        ({"authorization": SECRET}, PATH, 401),
        ({"authorization": f"Bearer {SECRET}x"}, PATH, 401),
        ({"authorization": "Bearer ünïcode"}, PATH, 401),
        ({"authorization": f"Bearer {SECRET}"}, "/fhir-notifications/other", 404),
    ],
)
def test_a01_without_the_secret_nothing_is_looked_at(
    subscribed: Subscribed, headers: dict[str, str], path: str, status: int
) -> None:
    asked = len(subscribed.fhir.asked)
    encoded = {name: text.encode() for name, text in headers.items()}
    sent = {"content-type": b"application/fhir+json", **encoded}
    body = json.dumps(bundle(status_of("event-notification", "Encounter/enc-1"))).encode()
    answer = subscribed.web.http.post(path, content=body, headers=sent)
    assert answer.status_code == status
    assert status == 404 or answer.content == b""
    assert len(subscribed.fhir.asked) == asked


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{", b'{"resourceType":"Bundle"}', b'{"resourceType":"Bundle","type":"history"}',
     b'{"resourceType":"Bundle","type":"history","entry":[{"resource":7}]}', b'{"resourceType":"Patient","id":"canary-id"}',
     b'{"resourceType":"Bundle","type":"history","entry":[{"resource":{"resourceType":"SubscriptionStatus","type":["handshake"]}}]}',
     b'{"resourceType":"Bundle","type":"history","type":"history"}', b"[" * 20_000, b'{"resourceType":"Bundle","type":NaN}', b"\xff\xfe{}"],
)  # fmt: skip
def test_b01_what_is_no_notification_is_400_and_not_repeated(subscribed: Subscribed, body: bytes) -> None:
    answer = subscribed.notify(body)
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "canary-" not in answer.text


@pytest.mark.parametrize(
    "odd", [None, 7, "x", [], {}, [None], [{"focus": None}], [{"focus": {"reference": 7}, "additionalContext": {}}]]
)
def test_odd_events_are_nobodys(subscribed: Subscribed, odd: Any) -> None:
    said = status_of("event-notification") | {"notificationEvent": odd}
    assert subscribed.notify(bundle(said)).status_code == 200


def test_b02_b12_size_and_media_type_are_bounded(serve: Serve, key_path: Path) -> None:
    own = {"ehr": entry("http://127.0.0.1:9/fhir", "http://127.0.0.1:9/token", key_path)}
    small = Subscribed(serve(subscriptions=own, max_body_bytes=1024), FhirServer([]), TokenServer())
    heartbeat = bundle(status_of("heartbeat"))
    assert small.notify(heartbeat, media="application/json").status_code == 200
    assert small.notify(heartbeat, media="application/fhir+json; charset=utf-8; fhirVersion=4.0").status_code == 200
    assert small.notify(heartbeat, media="application/fhir+xml").status_code == 415
    assert small.notify(json.dumps(heartbeat).encode() + b" " * 1024).status_code == 413
    assert small.web.http.get(PATH).status_code == 405
    assert (
        small.web.post(b"{}", media_type="x", content_type="application/fhir+json").status_code == 415
    )  # a hook is JSON


def test_f02_its_quota_is_its_own(serve: Serve, key_path: Path) -> None:
    own = {"ehr": entry("http://127.0.0.1:9/fhir", "http://127.0.0.1:9/token", key_path, tenant="local")}
    slow = Subscribed(serve(subscriptions=own, calls_per_second=0.2), FhirServer([]), TokenServer())
    assert [slow.notify(bundle(status_of("heartbeat"))).status_code for _ in range(2)] == [200, 429]
    assert slow.web.call(call()).status_code == 200


def test_e06_a_token_that_is_refused_away_or_nonsense_is_counted_and_asked_for_anew(
    serve: Serve, key_path: Path
) -> None:
    with FhirServer([patient(), document("Fever.")]) as fhir, TokenServer(status=401) as tokens:
        one = Subscribed(serve(subscriptions={"ehr": entry(fhir.url, tokens.url, key_path)}), fhir, tokens)
        named = bundle(status_of("event-notification", f"Patient/{PATIENT_ID}"))
        one.becomes(named, "no-data")
        tokens.status, tokens.granted = 200, {"access_token": "a b\r\nc", "token_type": "bearer", "expires_in": 300}
        one.becomes(named, "no-data")
        assert fhir.asked == []
        tokens.granted = {"access_token": "canary-fhir-token-5f1d", "token_type": "bearer", "expires_in": 300}
        one.becomes(named, "handed-over")
        assert len(tokens.seen) == 3


def test_a_tenant_that_is_switched_off_is_not_read_ahead(serve: Serve, key_path: Path, tmp_path: Path) -> None:
    file = tmp_path / "switches.yaml"
    file.write_text('switches:\n- {mode: "off", reason: test, since: "2026-11-01T00:00:00Z"}\n')
    own = {"ehr": entry("http://127.0.0.1:9/fhir", "http://127.0.0.1:9/token", key_path)}
    off = Subscribed(serve(subscriptions=own, switches_file=file), FhirServer([]), TokenServer())
    off.becomes(bundle(status_of("event-notification", "Patient/pat-1")), "switched-off")


def test_e10_nothing_of_it_is_logged(subscribed: Subscribed, log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    subscribed.becomes(bundle(status_of("event-notification", "Encounter/enc-1")), "handed-over")
    subscribed.becomes(bundle(status_of("event-notification", f"Patient/canary-{uuid.uuid4()}")), "no-data")
    subscribed.notify(bundle(status_of("event-notification", "Encounter/enc-1")), secret="canary-wrong-secret")
    lines = str(log_lines())
    assert "/fhir-notifications/{server}" in lines
    assert "notification-refused" in lines
    for marked in ("canary-", PATIENT_ID, "enc-1"):
        assert marked not in lines


def test_without_the_setting_there_is_no_such_address(web: Served) -> None:
    assert web.http.post(PATH, json={}).status_code == 404


@pytest.mark.parametrize(
    ("changes", "fault"),
    [({"secret": "short"}, "24 characters"), ({"fhir_server": "http://ehr.example.org/fhir"}, "https"), ({"key_file": "/nowhere"}, "key_file"),
     ({"token_endpoint": "ftp://x"}, "not a plain"), ({"password": SECRET}, "not permitted")],
)  # fmt: skip
def test_a_faulty_entry_stops_the_start_and_is_not_shown(key_path: Path, changes: Resource, fault: str) -> None:
    whole = entry("https://ehr.example.org/fhir", "https://ehr.example.org/token", key_path, **changes)
    issuers = {"https://ehr.example.org": {"tenant": "hospital-a", "jku": "https://ehr.example.org/jwks.json"}}
    with pytest.raises(ValueError, match=fault) as refused:
        Settings(public_base_url="https://cds.example.org", trusted_issuers=issuers, subscriptions={"ehr": whole})
    assert SECRET not in str(refused.value)
