"""Row E12: what is kept for a card is opened by its own user, for its own patient, while it lasts, and by nobody else."""

from __future__ import annotations

import asyncio
import re
import time

import pytest
import redis.asyncio

from cds_hooks.viewer.kept_views import MOST_CHARACTERS, KeptView, view_of
from cds_hooks.viewer.viewer_store import MemoryViewerStore, RedisViewerStore
from nlp_core.note import Note
from tests.cds_hooks.assessments import BUILDER, assessment, chart, occasion
from tests.cds_hooks.viewer.conftest import Serve, Viewing
from tests.cds_hooks.viewer.smart_server import CLIENT_ID, SignedIn, SmartServer
from worker.local_redis import LocalRedis
from worker.payloads import Sealer

TIMES_OUT = 20


def test_e12_the_id_is_random_and_says_nothing(viewing: Viewing) -> None:
    ids = [viewing.link(user="Practitioner/canary")["appContext"] for _ in range(3)]
    assert len(set(ids)) == 3
    for identifier in ids:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", identifier)


@pytest.mark.parametrize(
    ("user", "patient"),
    [
        ("Practitioner/8", "pat-1"),
        ("PractitionerRole/7", "pat-1"),
        ("Patient/7", "pat-1"),
        ("Practitioner/7", "pat-2"),
        ("Practitioner/8", "pat-2"),
    ],
)
def test_e12_another_users_or_another_patients_id_is_403(viewing: Viewing, user: str, patient: str) -> None:
    context = viewing.link(user="Practitioner/7", patient="pat-1")["appContext"]
    visitor = viewing.visitor()
    answer = visitor.arrive(viewing.smart.url, viewing.launch(user=user, patient=patient, app_context=context))
    assert answer.status_code == 403
    assert not {"set-cookie", "location"} & set(answer.headers)
    assert "Canary" not in answer.text


def test_e12_an_id_of_another_server_of_another_tenant_is_403(serve_viewer: Serve) -> None:
    """Both are served by one process, and both have a Practitioner/7 and a pat-1."""
    with SmartServer() as north, SmartServer() as south:
        clients = {smart.url: {"tenant": "local", "client_id": CLIENT_ID} for smart in (north, south)}
        both = serve_viewer(smart=north, viewer_clients=clients, fhir_servers=(north.url, south.url))
        context = both.link()["appContext"]
        other = both.visitor().arrive(south.url, south.launch(SignedIn(app_context=context)))
        assert other.status_code == 403
        assert both.visitor().open(north.url, north.launch(SignedIn(app_context=context))).status_code == 200


@pytest.mark.parametrize("change", ["first", "last", "longer", "empty", "path", "long"])
def test_e12_a_changed_id_is_410(viewing: Viewing, change: str) -> None:
    good = viewing.link()["appContext"]
    changed = {
        "first": ("A" if good[0] != "A" else "B") + good[1:],
        "last": good[:-1] + ("A" if good[-1] != "A" else "Q"),
        "longer": good + "A",
        "empty": "",
        "path": "../" + good,
        "long": good * 1000,
    }[change]
    answer = viewing.visitor().arrive(viewing.smart.url, viewing.launch(app_context=changed))
    assert answer.status_code == 410
    assert "Canary" not in answer.text


def test_e12_an_expired_id_is_410_and_so_is_a_page_that_outlives_it(serve_viewer: Serve) -> None:
    viewing = serve_viewer(viewer_keep_seconds=2)
    context = viewing.link()["appContext"]
    visitor = viewing.visitor()
    arrived = visitor.arrive(viewing.smart.url, viewing.launch(app_context=context))
    assert visitor.get(arrived.headers["location"]).status_code == 200
    until = time.monotonic() + TIMES_OUT
    while visitor.get(arrived.headers["location"]).status_code == 200:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert visitor.get(arrived.headers["location"]).status_code in (401, 410)

    def late() -> int:
        return viewing.visitor().arrive(viewing.smart.url, viewing.launch(app_context=context)).status_code

    while late() != 410:  # a session ends up to a second before its view
        assert time.monotonic() < until


def test_a_card_has_no_link_without_a_viewer_at_its_server_and_is_whole(viewing: Viewing) -> None:
    assert viewing.link(fhirServer="http://127.0.0.1:1/fhir") is None
    assert viewing.link(fhirServer=None) is None


def test_a_card_is_whole_where_its_view_cannot_be_kept(serve_viewer: Serve) -> None:
    nobody = redis.asyncio.Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.3)
    viewing = serve_viewer(store=RedisViewerStore(nobody, Sealer([b"k" * 32])))
    assert viewing.link() is None
    answer = viewing.visitor().http.get(f"{viewing.url}/viewer/launch", params={"iss": viewing.smart.url})
    assert answer.status_code == 503


def test_only_the_newest_and_the_cited_notes_of_a_large_chart_are_kept_and_the_others_keep_their_place() -> None:
    long = "x" * (MOST_CHARACTERS // 2 - 100)
    cited = chart().notes[0]
    notes = tuple(Note(reference=f"DocumentReference/{n}", text=long, kind="Old") for n in range(10, 14))
    given = assessment(notes_read=5)
    (card,) = asyncio.run(BUILDER(given, chart(), occasion())).cards
    view = view_of(given, chart(notes=(*notes, cited)), occasion(), card)
    assert [note.left_out for note in view.notes] == [False, False, True, True, False]
    assert sum(len(note.note.text) for note in view.notes) <= MOST_CHARACTERS
    assert [note.note.kind for note in view.notes] == ["Old"] * 4 + [cited.kind]


def test_memory_lets_go_of_an_entry_when_its_time_is_over_and_of_the_oldest_when_it_is_full() -> None:
    async def go() -> None:
        store = MemoryViewerStore(most_bytes=100)
        await store.put("view", "a", b"x" * 60, 60)
        await store.put("view", "b", b"x" * 60, 60)
        assert await store.get("view", "a") is None
        assert await store.get("view", "b")
        await store.put("view", "c", b"short", 0)
        await asyncio.sleep(0.02)
        assert await store.get("view", "c") is None
        assert store._bytes == 60
        assert await store.take("view", "b")
        assert await store.take("view", "b") is None
        await store.close()

    asyncio.run(go())


def test_e12_redis_holds_neither_the_id_nor_a_word_of_the_view_and_gives_it_once(redis_server: LocalRedis) -> None:
    async def go() -> None:
        client = redis.asyncio.Redis.from_url(redis_server.url)
        store = RedisViewerStore(client, Sealer([b"k" * 32]))
        (card,) = (await BUILDER(assessment(), chart(), occasion(patient_id="canary-patient"))).cards
        view = view_of(assessment(), chart(), occasion(patient_id="canary-patient"), card)
        await client.flushall()
        await store.put("view", "canary-id", view.model_dump_json().encode(), 60)
        names = await client.keys("dxspan:viewer:*")
        everything = b"".join([*names, *[await client.get(name) for name in names]])
        for word in (b"canary-id", b"canary-patient", b"fever", b"Influenza", b"Practitioner"):
            assert word not in everything
        assert all(0 < seconds <= 60 for seconds in [await client.ttl(name) for name in names])
        assert KeptView.model_validate_json(await store.get("view", "canary-id") or b"") == view
        other = RedisViewerStore(client, Sealer([b"o" * 32]))
        assert await other.get("view", "canary-id") is None
        assert await store.take("view", "canary-id")
        assert await store.take("view", "canary-id") is None
        await store.close()

    asyncio.run(go())


def test_views_are_shared_by_processes_through_redis(serve_viewer: Serve, redis_server: LocalRedis) -> None:
    def store() -> RedisViewerStore:
        return RedisViewerStore(redis.asyncio.Redis.from_url(redis_server.url), Sealer([b"k" * 32]))

    viewing = serve_viewer(store=store())
    other = serve_viewer(store=store(), smart=viewing.smart)
    until = time.monotonic() + TIMES_OUT
    while not (link := viewing.link()):  # a busy machine may not keep it in time
        assert time.monotonic() < until
    page = other.visitor().open(viewing.smart.url, viewing.launch(app_context=link["appContext"]))
    assert page.status_code == 200
    assert "Canary-dry cough" in page.text
