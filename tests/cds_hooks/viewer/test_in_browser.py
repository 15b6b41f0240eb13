"""Rows E13 and E14 in a real browser, and what the page promises its readers: links both ways, keyboard, WCAG AA."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Error, Page, expect

from nlp_core.assessment import Assessment, Band, Candidate, Words
from nlp_core.chart import Chart
from tests.browser import listen
from tests.cds_hooks.assessments import candidate, evidence
from tests.cds_hooks.charts import document
from tests.cds_hooks.viewer.conftest import TEXT, Serve, Viewing, cited, twenty
from tests.page_checks import (
    AXE,
    Framing,
    as_wide_as_its_window,
    framing_server,
    handlers,
    kept,
    taken,
    violations,
)
from tests.renderers.hostile_cards import hostile_strings

OUTLINE = "() => [...document.querySelectorAll('*')].map(e => e.tagName)"
IN_VIEW = """one => { const box = one.getBoundingClientRect();
return box.top >= 0 && box.bottom <= innerHeight && document.elementFromPoint(box.left + 4, box.top + box.height / 2)
  ?.closest('mark') === one.closest('mark') }"""
READY = "() => !document.querySelector('button.only')?.hidden"


def opened(page: Page, viewing: Viewing, **link: Any) -> None:
    page.goto(viewing.address(**link))
    page.wait_for_function(READY)


def hostile_chart(strings: list[str]) -> list[dict[str, Any]]:
    """A note that holds every string, of a type that is one; and a note of each other type."""
    texts = ["\n".join([*strings, TEXT]), *(f"{string} {number}" for number, string in enumerate(strings))]
    documents = [document(text, number=number) for number, text in enumerate(texts, start=1)]
    return [one | {"type": {"text": string}} for one, string in zip(documents, [*strings, strings[0]], strict=True)]


def hostile(strings: list[str]) -> Any:
    """An assessment with a string in each place: names, bands, origins, next steps, the model, and the words themselves."""

    def answer(chart: Chart) -> Assessment:
        note = max(chart.notes, key=lambda one: len(one.text))

        def one(number: int, string: str) -> Candidate:
            said = evidence(string, note=note) if string in note.text else evidence("High fever", note=note)
            place = {"kind": string, "author_role": string}
            words = Words(en=string, zh=string)
            return candidate(
                string,
                diagnosis=f"d{number}",
                names=words,
                band=Band(word=words, low=0.1, high=0.2),
                evidence_for=(said.model_copy(update=place),),
                evidence_against=(evidence("chest pain", share=-0.5, note=note).model_copy(update=place),),
            )

        given = cited(chart)
        steps = tuple(given.next_steps[0].model_copy(update={"words": Words(en=s, zh=s)}) for s in strings[:5])
        candidates = tuple(one(number, string) for number, string in enumerate(strings))
        return given.model_copy(update={"candidates": candidates, "next_steps": steps, "model_version": strings[0]})

    return answer


def test_e13_no_hostile_text_becomes_more_than_text(page: Page, serve_viewer: Serve) -> None:
    viewing = serve_viewer()
    strings = [text for texts in hostile_strings().values() for text in texts if len(text) < 300 and text.strip()]
    assert len(strings) > 43
    viewing.reader.answer = hostile(strings)
    heard = listen(page)
    opened(page, viewing, documents=hostile_chart(strings))
    ours = {
        "HTML",
        "HEAD",
        "META",
        "TITLE",
        "LINK",
        "SCRIPT",
        "BODY",
        "A",
        "HEADER",
        "H1",
        "H2",
        "H3",
        "H4",
        "P",
        "NAV",
        "FORM",
    }
    ours |= {
        "BUTTON",
        "MAIN",
        "SECTION",
        "ARTICLE",
        "SPAN",
        "svg",
        "rect",
        "UL",
        "OL",
        "LI",
        "Q",
        "EM",
        "STRONG",
        "DIV",
        "DETAILS",
    }
    ours |= {"SUMMARY", "MARK"}
    assert set(page.evaluate(OUTLINE)) <= ours
    assert not taken(page)
    for selector, number in (
        ("script", 1),
        ("form", 1),
        ("link", 1),
        ("meta", 2),
        ("iframe, img, input, style, base, object", 0),
    ):
        assert page.locator(selector).count() == number, selector
    assert not handlers(page)
    elsewhere = "() => [...document.links].map(a => new URL(a.href)).filter(u => u.origin !== location.origin).length"
    assert page.evaluate(elsewhere) == 0
    assert viewing.url in "".join(heard.requests)
    assert all(url.startswith((viewing.url, viewing.smart.origin)) for url in heard.requests)
    assert page.title() == "dxspan – evidence in the notes"
    assert heard.refused() == []
    shown = page.locator("#notes").text_content() or ""
    assert "<script>window.taken=1</script>" in shown
    assert "<b>bold</b>" in shown
    assert kept(page) == []


def test_e13_the_policy_would_stop_a_script_and_a_style_on_the_page(page: Page, viewing: Viewing) -> None:
    opened(page, viewing)
    heard = listen(page)
    page.evaluate(
        "() => { try { const image = document.createElement('img'); image.setAttribute('onerror', 'window.taken = 1');"
        "image.src = 'data:,'; document.body.append(image) } catch { }"
        "const style = document.createElement('style'); style.textContent = 'body { color: rgb(1, 2, 3) }';"
        "document.head.append(style); document.body.setAttribute('style', 'color: rgb(1, 2, 3)') }"
    )
    page.wait_for_timeout(200)
    assert not taken(page)
    assert page.evaluate("() => getComputedStyle(document.body).color") != "rgb(1, 2, 3)"
    assert heard.refused(), "and what was stopped is heard"


@pytest.fixture(scope="module")
def framing() -> Iterator[Framing]:
    with framing_server() as served:
        yield served


def test_e13_a_registered_origin_may_frame_it_and_no_other(
    page: Page, serve_viewer: Serve, framing: Framing, viewing: Viewing
) -> None:
    listed = serve_viewer(client={"frame_ancestors": [framing.origin]})
    assert "Canary-dry" in framing.text(page, listed.address())
    other = serve_viewer(client={"frame_ancestors": ["https://ehr.example.org"]})
    assert "Canary" not in framing.text(page, other.address())
    assert "Canary" not in framing.text(page, viewing.address())


def test_e14_after_signing_out_the_back_button_shows_nothing_of_the_patient(page: Page, viewing: Viewing) -> None:
    opened(page, viewing)
    address = page.url
    assert "Canary" in page.content()
    page.locator("#end button").click()
    session_is_over(page)

    def go_forward() -> None:
        with pytest.raises(Error, match="ERR_CACHE_MISS"):  # the browser asks before it sends a form again
            page.go_forward()

    for go in (page.go_back, go_forward, lambda: page.goto(address), page.reload):
        go()
        page.wait_for_timeout(200)
        assert "Canary" not in page.content()
        assert "Influenza" not in page.content()


def session_is_over(page: Page) -> None:
    expect(page.locator("body")).to_contain_text("session is over")


def test_e14_an_idle_page_empties_itself(page: Page, serve_viewer: Serve) -> None:
    viewing = serve_viewer(viewer_session_seconds=4)
    opened(page, viewing)
    session_is_over(page)
    assert "Canary" not in page.content()
    page.go_back()
    page.wait_for_timeout(300)
    assert "Canary" not in page.content()


def test_evidence_leads_to_its_words_and_the_words_lead_back_by_mouse_and_by_keyboard(
    page: Page, viewing: Viewing
) -> None:
    long = "\n".join(f"Line {n} of a long note." for n in range(300)) + f"\n{TEXT}"
    opened(page, viewing, documents=[document(long)])
    address = page.url
    here, mark = page.locator(":focus"), page.locator("mark", has=page.locator(":focus"))
    page.get_by_role("link", name="body aches", exact=True).first.click()
    assert mark.text_content() == "body aches"
    assert "current" in (here.locator("..").get_attribute("class") or "")
    page.wait_for_function(IN_VIEW, arg=here.element_handle())
    page.keyboard.press("Enter")
    assert here.get_attribute("id") == "d1e2"
    here.locator("a").first.press("Enter")
    assert here.inner_text() == "body aches"
    assert page.url == address
    steps = count()
    page.locator(".skip").focus()
    while mark.count() == 0:
        page.keyboard.press("Tab")
        assert next(steps) < 40


def test_one_diagnosis_can_be_looked_at_alone(page: Page, viewing: Viewing) -> None:
    opened(page, viewing)

    def sides() -> list[str]:
        return [str(mark.get_attribute("class")) for mark in page.locator("mark[data-places]").all()]

    assert sides() == ["for", "for", "against"]
    button = page.locator("button.only").nth(1)
    button.click()
    assert sides() == ["for", "quiet", "quiet"]
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert sides() == ["for", "for", "against"]


@pytest.mark.parametrize(("width", "language"), [(1280, "en"), (400, "zh")])
def test_the_page_keeps_wcag_aa_and_its_width(
    page: Page, serve_viewer: Serve, framing: Framing, width: int, language: str
) -> None:
    """With twenty diagnoses and a note of 20 kB, by axe; narrow in a frame, as a side panel shows it."""
    if not AXE.exists():
        pytest.skip("no axe-core: `make setup-test` installs it")
    viewing = serve_viewer(client={"frame_ancestors": [framing.origin]})
    viewing.reader.answer = twenty
    long = TEXT + " Nothing else to report today." * 700
    opened(page, viewing, documents=[document(long), document("A second note.", number=2)])
    address = f"{page.url}?lang={language}"
    if width > 1000:
        page.goto(address)
    shown = page.main_frame if width > 1000 else framing.open(page, address)
    shown.wait_for_function(READY)
    assert shown.evaluate("() => document.documentElement.lang").startswith(language)
    shown.evaluate("() => [...document.querySelectorAll('details')].slice(0, 2).forEach(one => { one.open = true })")
    assert violations(shown) == {}
    assert as_wide_as_its_window(shown)


def test_a_question_is_asked_by_keyboard_and_its_answer_leads_to_the_words(page: Page, viewing: Viewing) -> None:
    opened(page, viewing, documents=[document("Nothing to report. " * 300 + TEXT)])
    page.get_by_role("link", name="Ask the chart", exact=True).click()
    page.locator("#question").press_sequentially("Canary-dry cough")
    page.keyboard.press("Enter")
    expect(page.locator(".answer").first).to_be_visible()
    assert page.locator(".tabs [aria-current=page]").inner_text() == "Ask the chart"
    assert "Canary" not in page.url + page.title()
    page.locator(".answer .lines a").first.press("Enter")
    mark = page.locator("mark.quoted[data-places]").first
    assert mark.inner_text() == "Canary-dry cough"
    page.wait_for_function(IN_VIEW, arg=mark.element_handle())
    assert kept(page) == []
    assert violations(page) == {}
    page.get_by_role("button", name="中文", exact=True).click()
    page.wait_for_function("() => document.documentElement.lang === 'zh'")
    assert page.locator(".answer q").first.inner_text().strip("“”") == "Canary-dry cough"
