"""Rows E13 and E14 as far as HTTP shows them: headers, cookies, addresses, and when a session is over."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pytest

from cds_hooks.viewer.sessions import Cookies
from nlp_core.model_bundle import Bundle, composed_bundle_path
from tests.cds_hooks.audits import Audited, details
from tests.cds_hooks.charts import document
from tests.cds_hooks.viewer.conftest import TEXT, Serve, Viewing, cited, twenty

FRAMES = ["https://ehr.example.org", "https://portal.example.org:8443"]
COOKIE = re.compile(r"dxspan-viewer-(?P<of>[A-Za-z0-9_-]+)=(?P<value>[A-Za-z0-9_-]*);")


def policy(answer: httpx.Response) -> dict[str, str]:
    directives = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in directives}


def test_e13_every_answer_carries_the_headers_and_the_tenants_frames(serve_viewer: Serve) -> None:
    viewing = serve_viewer(client={"frame_ancestors": FRAMES})
    visitor, page = viewing.opened()
    address = page.url.path
    copied = viewing.visitor()
    copied.http.cookies.update(visitor.http.cookies)
    answers = {
        "launch": visitor.get(f"/viewer/launch?iss={viewing.smart.url}"),
        "callback": visitor.arrive(viewing.smart.url, viewing.launch(app_context=viewing.link()["appContext"])),
        "page": page,
        "alive": visitor.post(f"{address}/alive"),
        "another's": visitor.arrive(viewing.smart.url, viewing.launch(user="Practitioner/8", app_context="x" * 43)),
        "ended": visitor.post(f"{address}/end"),
        "over": copied.get(address),
    }
    for what, answer in answers.items():
        said = policy(answer)
        assert said["default-src"] == "'self'", what
        assert said["frame-ancestors"] == " ".join(FRAMES), what
        assert not {"script-src", "style-src", "unsafe-inline", "unsafe-eval"} & set(said), what
        assert answer.headers["cache-control"] == "no-store", what
        assert answer.headers["referrer-policy"] == "no-referrer", what
        assert answer.headers["x-content-type-options"] == "nosniff", what


def test_e13_who_is_not_known_is_framed_by_nobody(serve_viewer: Serve, viewing: Viewing) -> None:
    framed = serve_viewer(client={"frame_ancestors": FRAMES})
    for address in (
        "/viewer/session/unknown",
        "/viewer/callback?code=x&state=y",
        "/viewer/launch?iss=https://x.example",
    ):
        assert policy(framed.visitor().get(address))["frame-ancestors"] == "'none'"
    assert policy(viewing.opened()[1])["frame-ancestors"] == "'none'"  # no frames registered


def test_e13_the_page_has_no_script_or_style_of_its_own_and_nothing_of_the_patient_in_address_or_title(
    viewing: Viewing,
) -> None:
    visitor = viewing.visitor()
    context = viewing.link(patient="canary-pat", user="Practitioner/canary-user")["appContext"]
    launch = viewing.launch(patient="canary-pat", user="Practitioner/canary-user", app_context=context)
    begun = visitor.get(f"/viewer/launch?iss={viewing.smart.url}&launch={launch}")
    callback = visitor.get(begun.headers["location"]).headers["location"]
    arrived = visitor.get(callback)
    page = visitor.get(arrived.headers["location"])
    addresses = [begun.headers["location"], callback, arrived.headers["location"]]
    addresses += re.findall(r'(?:href|src|action)="([^"]*)"', page.text)
    assert len(addresses) > 8
    for address in addresses:
        assert "canary" not in address.lower()
        assert context not in address
    title = re.search("<title>(.*?)</title>", page.text)
    assert title is not None
    assert title[1] in ("dxspan – evidence in the notes", "dxspan——病历中的依据")
    assert re.findall(r"<script[^>]*>", page.text) == ['<script type="module" src="/viewer/static/viewer.js">']
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page.text)
    assert "canary-pat" not in page.text
    assert "canary-user" not in page.text


def test_e13_one_page_stays_small_with_long_notes_and_twenty_diagnoses(serve_viewer: Serve) -> None:
    viewing = serve_viewer()
    long = TEXT + " Nothing else to report today." * 700
    earlier = (document(f"{long} Visit {n}.", number=n, date=f"2020-01-{n:02}T08:00:00Z") for n in range(2, 12))
    documents = [document(long, number=1), *earlier]
    viewing.reader.answer = twenty
    visitor, page = viewing.opened(documents=documents)
    assert len(page.content) < 200_000
    shown = page.text.count('class="note"')
    assert 1 < shown < 11
    assert page.text.count("data-note=") == 11
    assert "Nothing else to report" in page.text
    last = re.findall(r'href="([^"]*#n11)"', page.text)
    assert last == ["?lang=en&amp;note=11#n11"] or last == ["?lang=en&note=11#n11"]
    other = visitor.get(f"{page.url.path}?lang=zh&note=11")
    assert len(other.content) < 200_000
    assert 'id="n11"' in other.text


def test_e14_each_sign_in_has_a_new_session_and_a_planted_one_is_worth_nothing(viewing: Viewing) -> None:
    visitor = viewing.visitor()
    context = viewing.link()["appContext"]
    planted = "A" * 43
    seen = set()
    for _ in range(2):
        callback = visitor.to_callback(viewing.smart.url, viewing.launch(app_context=context))
        visitor.http.cookies.set("dxspan-viewer-planted", planted, domain="127.0.0.1")
        arrived = visitor.get(callback)
        found = [COOKIE.match(one) for one in arrived.headers.get_list("set-cookie")]
        cookies = {one["of"]: one["value"] for one in found if one}
        (launched,) = [name for name in cookies if name.startswith("launch-")]
        assert cookies.pop(launched) == ""
        ((handle, secret),) = cookies.items()
        assert handle != "planted"
        assert planted not in (handle, secret)
        assert len(secret) == 43
        seen |= {handle, secret}
    assert len(seen) == 4
    assert visitor.get("/viewer/session/planted").status_code == 401


def test_e14_the_secret_of_one_session_opens_no_other_and_no_address_opens_one_without(viewing: Viewing) -> None:
    one, page = viewing.opened()
    other, foreign = viewing.opened()
    secret = one.http.cookies[f"dxspan-viewer-{page.url.path.rpartition('/')[2]}"]
    assert viewing.visitor().get(page.url.path).status_code == 401
    other.http.cookies.set(f"dxspan-viewer-{foreign.url.path.rpartition('/')[2]}", secret, domain="127.0.0.1")
    assert other.get(foreign.url.path).status_code == 401


def test_e14_two_patients_open_in_one_browser_stay_apart(viewing: Viewing) -> None:
    visitor = viewing.visitor()
    pages = {}
    for patient, text in (("pat-a", f"{TEXT} Of patient A."), ("pat-b", f"{TEXT} Of patient B.")):
        context = viewing.link(patient=patient, documents=[document(text, of=patient)])["appContext"]
        pages[patient] = visitor.open(viewing.smart.url, viewing.launch(patient=patient, app_context=context)).url.path
    assert "Of patient A." in visitor.get(pages["pat-a"]).text
    assert "Of patient B." in visitor.get(pages["pat-b"]).text


def test_e14_after_logout_the_page_is_over_also_for_a_copied_cookie(viewing: Viewing) -> None:
    visitor, page = viewing.opened()
    thief = viewing.visitor()
    thief.http.cookies.update(visitor.http.cookies)
    assert "Canary" in thief.get(page.url.path).text
    ended = visitor.post(f"{page.url.path}/end")
    assert ended.status_code == 200
    assert "Canary" not in ended.text
    assert "Max-Age=0" in ended.headers["set-cookie"]
    for one in (visitor, thief):
        for answer in (one.get(page.url.path), one.post(f"{page.url.path}/alive")):
            assert answer.status_code == 401
            assert "Canary" not in answer.text


def test_e14_an_idle_session_ends_and_a_used_one_does_not(serve_viewer: Serve) -> None:
    viewing = serve_viewer(viewer_session_seconds=3)
    (used, page), (idle, other) = viewing.opened(), viewing.opened()
    until = time.monotonic() + 4
    while time.monotonic() < until:
        assert used.post(f"{page.url.path}/alive").status_code == 204
        time.sleep(0.2)
    assert "Canary" in used.get(page.url.path).text
    over = idle.get(other.url.path)
    assert over.status_code == 401
    assert "Canary" not in over.text


def test_e14_another_site_can_neither_end_a_session_nor_keep_it_open(viewing: Viewing) -> None:
    visitor, page = viewing.opened()
    for what in ("end", "alive"):
        for told in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "null", "sec-fetch-site": "cross-site"},
            {"origin": viewing.url, "sec-fetch-site": "same-site"},
        ):
            assert visitor.post(f"{page.url.path}/{what}", **told).status_code == 403
    assert (
        visitor.post(f"{page.url.path}/alive", **{"origin": "null", "sec-fetch-site": "same-origin"}).status_code == 204
    )
    assert visitor.post(f"{page.url.path}/alive", origin=viewing.url).status_code == 204


@pytest.mark.parametrize("framed", [True, False])
def test_e14_cookies_over_https_belong_to_this_host_and_to_the_page_around_them(framed: bool) -> None:
    written = Cookies(https=True).written("h", "s", 60, framed=framed)
    parts = set(written.split("; "))
    assert {"__Host-dxspan-viewer-h=s", "Path=/", "HttpOnly", "Secure"} <= parts
    assert not any(part.startswith("Domain") for part in parts)
    assert ({"SameSite=None", "Partitioned"} <= parts) is framed
    assert ("SameSite=Lax" in parts) is not framed


def test_e14_a_framed_launch_behind_https_sets_such_cookies(serve_viewer: Serve) -> None:
    viewing = serve_viewer(public_base_url="https://cds.example.org")
    begun = viewing.visitor().get(f"/viewer/launch?iss={viewing.smart.url}", **{"sec-fetch-dest": "iframe"})
    assert begun.headers["set-cookie"].startswith("__Host-dxspan-viewer-launch-")
    assert begun.headers["set-cookie"].endswith("Secure; SameSite=None; Partitioned")


def test_everything_on_the_card_is_on_the_page(viewing: Viewing) -> None:
    visitor, page = viewing.opened()
    text = page.text
    shown: list[Any] = ["Influenza", "J11.1", "likely, 60–75 %", "High fever", "body aches", "chest pain", "absent"]
    shown += ["Would tell them apart", "Influenza PCR", "no laboratory results", "Model 1+abcdef012345", "+1.5", "−0.5"]
    for words in shown:
        assert words in text, words
    chinese = visitor.get(f"{page.url.path}?lang=zh").text
    for words in ("流行性感冒", "支持", "有助鉴别", "流感核酸检测", "无检验结果", 'lang="zh"'):
        assert words in chinese, words


def test_what_probabilities_were_fitted_on_is_said_beside_them(viewing: Viewing) -> None:
    assert "on simulated patients only" in viewing.opened()[1].text
    viewing.reader.answer = lambda chart: cited(chart).model_copy(update={"calibrated_on_site": True})
    text = viewing.opened()[1].text
    assert "on coded notes of this site" in text
    assert "patients only" not in text


def test_source_attributes_and_model_card_are_one_click_away(viewing: Viewing) -> None:
    assert 'href="/transparency?lang=en"' in viewing.opened()[1].text


def test_first_steps_and_figures_are_those_of_the_installed_model(serve_viewer: Serve) -> None:
    """Real treatment words of the real knowledge, and none beside an assessment of another."""
    bundle = Bundle.open(composed_bundle_path())
    viewing = serve_viewer()
    known = {"knowledge_version": bundle.knowledge().version, "model_version": bundle.model_version}
    viewing.reader.answer = lambda chart: cited(chart).model_copy(update=known)
    text = viewing.opened()[1].text
    assert "general medical textbooks" in text
    assert "expected calibration error" in text
    assert "<table>" in text
    viewing.reader.answer = cited
    text = viewing.opened()[1].text
    assert "general medical textbooks" not in text
    assert "not installed here" in text


def test_who_opened_whose_evidence_and_who_was_refused_is_in_the_audit_trail(
    serve_viewer: Serve, tmp_path_factory: pytest.TempPathFactory
) -> None:
    trail = Audited(tmp_path_factory.mktemp("trail"))
    viewing = serve_viewer(**trail.settings)
    page = viewing.opened()[1]
    foreign = viewing.launch(user="Practitioner/8", app_context=viewing.link()["appContext"])
    assert viewing.visitor().arrive(viewing.smart.url, foreign).status_code == 403
    until = time.monotonic() + 20
    while trail.delivered() < 5:
        assert time.monotonic() < until
        time.sleep(0.05)
    views = [one for one in trail.events() if any(kind.get("code") == "view" for kind in one["subtype"])]
    assert [details(one)["httpStatus"] for one in views] == [["303"], ["200"], ["403"]]
    assert [one["action"] for one in views] == ["R", "R", "R"]
    said = [str(one) for one in views]
    assert all("Patient/pat-1" in one for one in said)
    assert "Practitioner/7" in said[1]
    assert "Practitioner/8" in said[2]
    assert not any("Canary" in one or page.url.path in one for one in said)
