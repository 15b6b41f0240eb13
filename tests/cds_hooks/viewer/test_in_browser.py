"""Rows E13 and E14 in a real browser, and what the page promises its readers: links both ways, keyboard, WCAG AA."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from nlp_core.assessment import Assessment, Band, Candidate, Words
from nlp_core.chart import Chart
from tests.browser import missing as missing_browser
from tests.browser import open_browser
from tests.cds_hooks.assessments import candidate, evidence
from tests.cds_hooks.charts import document
from tests.cds_hooks.viewer.conftest import TEXT, Serve, Viewing, cited, twenty
from tests.page_checks import AXE, Framing, framing_server, violations
from tests.renderers.hostile_cards import hostile_strings

PATIENCE = 60
OUTLINE = "return [...document.querySelectorAll('*')].map(e => e.tagName + '[' + [...e.attributes].map(a => a.name) + ']').join(' ')"
IN_VIEW = """const box = arguments[0].getBoundingClientRect();
return box.top >= 0 && box.bottom <= innerHeight && document.elementFromPoint(box.left + 4, box.top + box.height / 2)
  ?.closest('mark') === arguments[0].closest('mark')"""


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    if missing_browser():
        pytest.skip(f"no {' and no '.join(missing_browser())}: `make setup-test` installs them")
    driver = open_browser(1280, 900, log_network=True)
    yield driver
    driver.quit()


def wait(browser: webdriver.Chrome, for_what: Any) -> Any:
    return WebDriverWait(browser, PATIENCE).until(for_what)


def opened(browser: webdriver.Chrome, viewing: Viewing, **link: Any) -> None:
    browser.set_window_size(1280, 900)
    browser.get(viewing.address(**link))
    wait(browser, lambda it: it.execute_script("return !document.querySelector('button.only')?.hidden"))


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


def test_e13_no_hostile_text_becomes_more_than_text(browser: webdriver.Chrome, serve_viewer: Serve) -> None:
    viewing = serve_viewer()
    strings = [text for texts in hostile_strings().values() for text in texts if len(text) < 300 and text.strip()]
    assert len(strings) > 43
    viewing.reader.answer = hostile(strings)
    browser.get_log("performance")
    browser.get_log("browser")
    opened(browser, viewing, documents=hostile_chart(strings))
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
    outline: str = browser.execute_script(OUTLINE)
    assert {one.partition("[")[0] for one in outline.split(" ")} <= ours
    assert browser.execute_script("return 'taken' in window") is False
    for selector, number in (
        ("script", 1),
        ("form", 1),
        ("link", 1),
        ("meta", 2),
        ("iframe, img, input, style, base, object", 0),
    ):
        assert len(browser.find_elements(By.CSS_SELECTOR, selector)) == number, selector
    handlers = (
        "return [...document.querySelectorAll('*')].some(e => [...e.attributes].some(a => /^on|^style$/.test(a.name)))"
    )
    assert browser.execute_script(handlers) is False
    elsewhere = "return [...document.links].map(a => new URL(a.href)).filter(u => u.origin !== location.origin).length"
    assert browser.execute_script(elsewhere) == 0
    assert all(url.startswith((viewing.url, viewing.smart.origin)) for url in requested(browser))
    assert browser.title == "dxspan – evidence in the notes"
    assert [entry for entry in browser.get_log("browser") if "Content Security Policy" in entry["message"]] == []
    shown = browser.find_element(By.ID, "notes").get_attribute("textContent")
    assert "<script>window.taken=1</script>" in (shown or "")
    assert "<b>bold</b>" in (shown or "")
    nothing_kept(browser)


def test_e13_the_policy_would_stop_a_script_and_a_style_on_the_page(
    browser: webdriver.Chrome, viewing: Viewing
) -> None:
    opened(browser, viewing)
    browser.execute_script(
        "try { const image = document.createElement('img'); image.setAttribute('onerror', 'window.taken = 1');"
        "image.src = 'data:,'; document.body.append(image) } catch { }"
        "const style = document.createElement('style'); style.textContent = 'body { color: rgb(1, 2, 3) }';"
        "document.head.append(style); document.body.setAttribute('style', 'color: rgb(1, 2, 3)')"
    )
    time.sleep(0.2)
    assert browser.execute_script("return 'taken' in window") is False
    assert browser.execute_script("return getComputedStyle(document.body).color") != "rgb(1, 2, 3)"


def requested(browser: webdriver.Chrome) -> list[str]:
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]


def nothing_kept(browser: webdriver.Chrome) -> None:
    kept = "return [localStorage.length, sessionStorage.length, document.cookie]"
    assert browser.execute_script(kept) == [0, 0, ""]
    assert browser.execute_async_script("indexedDB.databases().then(arguments[0])") == []
    assert browser.execute_async_script("caches.keys().then(arguments[0])") == []


@pytest.fixture(scope="module")
def framing() -> Iterator[Framing]:
    with framing_server() as served:
        yield served


def in_frame(browser: webdriver.Chrome, framing: Framing, viewing: Viewing) -> str:
    return framing.text(browser, viewing.address())


def test_e13_a_registered_origin_may_frame_it_and_no_other(
    browser: webdriver.Chrome, serve_viewer: Serve, framing: Framing, viewing: Viewing
) -> None:
    assert "Canary-dry" in in_frame(browser, framing, serve_viewer(client={"frame_ancestors": [framing.origin]}))
    other = serve_viewer(client={"frame_ancestors": ["https://ehr.example.org"]})
    assert "Canary" not in in_frame(browser, framing, other)
    assert "Canary" not in in_frame(browser, framing, viewing)


def test_e14_after_signing_out_the_back_button_shows_nothing_of_the_patient(
    browser: webdriver.Chrome, viewing: Viewing
) -> None:
    opened(browser, viewing)
    address = browser.current_url
    assert "Canary" in browser.page_source
    browser.find_element(By.CSS_SELECTOR, "#end button").click()
    wait(browser, lambda it: "session is over" in it.page_source)
    for go in (browser.back, browser.forward, lambda: browser.get(address), browser.refresh):
        go()
        wait(browser, lambda it: it.execute_script("return document.readyState") == "complete")
        time.sleep(0.2)
        assert "Canary" not in browser.page_source
        assert "Influenza" not in browser.page_source


def test_e14_an_idle_page_empties_itself(browser: webdriver.Chrome, serve_viewer: Serve) -> None:
    viewing = serve_viewer(viewer_session_seconds=4)
    opened(browser, viewing)
    wait(browser, lambda it: "session is over" in it.page_source)
    assert "Canary" not in browser.page_source
    browser.back()
    time.sleep(0.3)
    assert "Canary" not in browser.page_source


def test_evidence_leads_to_its_words_and_the_words_lead_back_by_mouse_and_by_keyboard(
    browser: webdriver.Chrome, viewing: Viewing
) -> None:
    long = "\n".join(f"Line {n} of a long note." for n in range(300)) + f"\n{TEXT}"
    opened(browser, viewing, documents=[document(long)])
    address = browser.current_url
    link = browser.find_element(By.LINK_TEXT, "body aches")
    link.click()
    words = browser.switch_to.active_element
    assert words.find_element(By.XPATH, "./ancestor::mark").get_attribute("textContent") == "body aches"
    assert "current" in (words.find_element(By.XPATH, "..").get_attribute("class") or "")
    wait(browser, lambda it: it.execute_script(IN_VIEW, words))
    words.send_keys(Keys.ENTER)
    line = browser.switch_to.active_element
    assert line.get_attribute("id") == "d1e2"
    line.find_element(By.TAG_NAME, "a").send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.text == "body aches"
    assert browser.current_url == address
    steps = count()
    browser.find_element(By.CLASS_NAME, "skip").send_keys("")
    while browser.switch_to.active_element.find_elements(By.XPATH, "./ancestor::mark") == []:
        browser.switch_to.active_element.send_keys(Keys.TAB)
        assert next(steps) < 40


def test_one_diagnosis_can_be_looked_at_alone(browser: webdriver.Chrome, viewing: Viewing) -> None:
    opened(browser, viewing)
    marks = browser.find_elements(By.CSS_SELECTOR, "mark[data-places]")
    sides = [mark.get_attribute("class") for mark in marks]
    assert sides == ["for", "for", "against"]
    button = browser.find_elements(By.CSS_SELECTOR, "button.only")[1]
    button.click()
    assert [mark.get_attribute("class") for mark in marks] == ["for", "quiet", "quiet"]
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert [mark.get_attribute("class") for mark in marks] == sides


@pytest.mark.parametrize(("width", "language"), [(1280, "en"), (400, "zh")])
def test_the_page_keeps_wcag_aa_and_its_width(
    browser: webdriver.Chrome, serve_viewer: Serve, framing: Framing, width: int, language: str
) -> None:
    """With twenty diagnoses and a note of 20 kB, by axe; narrow in a frame, as a side panel shows it."""
    if not AXE.exists():
        pytest.skip("no axe-core: `make setup-test` installs it")
    viewing = serve_viewer(client={"frame_ancestors": [framing.origin]})
    viewing.reader.answer = twenty
    long = TEXT + " Nothing else to report today." * 700
    opened(browser, viewing, documents=[document(long), document("A second note.", number=2)])
    framing.framed = f"{browser.current_url}?lang={language}"
    browser.get(framing.framed if width > 1000 else framing.origin)
    if width < 1000:
        browser.switch_to.frame(browser.find_element(By.TAG_NAME, "iframe"))
    wait(browser, lambda it: it.execute_script("return !document.querySelector('button.only')?.hidden"))
    for details in browser.find_elements(By.CSS_SELECTOR, "details")[:2]:
        browser.execute_script("arguments[0].open = true", details)
    assert violations(browser) == {}
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    browser.switch_to.default_content()


def test_a_question_is_asked_by_keyboard_and_its_answer_leads_to_the_words(
    browser: webdriver.Chrome, viewing: Viewing
) -> None:
    opened(browser, viewing, documents=[document("Nothing to report. " * 300 + TEXT)])
    browser.find_element(By.LINK_TEXT, "Ask the chart").click()
    wait(browser, lambda it: it.find_elements(By.ID, "question"))
    browser.find_element(By.ID, "question").send_keys("Canary-dry cough", Keys.ENTER)
    wait(browser, lambda it: it.find_elements(By.CSS_SELECTOR, ".answer"))
    assert browser.find_element(By.CSS_SELECTOR, ".tabs [aria-current=page]").text == "Ask the chart"
    assert "Canary" not in browser.current_url + browser.title
    browser.find_element(By.CSS_SELECTOR, ".answer .lines a").send_keys(Keys.ENTER)
    mark = browser.find_element(By.CSS_SELECTOR, "mark.quoted[data-places]")
    assert mark.text == "Canary-dry cough"
    wait(browser, lambda it: it.execute_script(IN_VIEW, mark))
    nothing_kept(browser)
    assert violations(browser) == {}
    browser.find_element(By.XPATH, "//button[.='中文']").click()
    wait(browser, lambda it: it.execute_script("return document.documentElement.lang") == "zh")
    assert browser.find_element(By.CSS_SELECTOR, ".answer q").text.strip("“”") == "Canary-dry cough"
