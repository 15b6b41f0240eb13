"""The demo EHR in a real browser before a real `dxspan-serve` with the shipped model: what a newcomer does in a minute."""

from __future__ import annotations

from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.cds_hooks.demo_ehr.conftest import Site
from tests.page_checks import AXE, violations
from tests.renderers.hostile_cards import hostile_strings

PATIENCE = 60
OWN_NOTE = "High fever since yesterday, dry cough, severe body aches, headache and chills."
HANDLERS = (
    "return [...document.querySelectorAll('*')].some(e => [...e.attributes].some(a => /^on|^style$/.test(a.name)))"
)


@pytest.fixture
def base(site: Site) -> str:
    return site.base


@pytest.fixture
def browser(driver: webdriver.Chrome, base: str) -> webdriver.Chrome:
    """A fresh visit."""
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    driver.get_log("browser")
    visit(driver, base)
    return driver


def visit(browser: webdriver.Chrome, base: str, language: str = "en") -> None:
    browser.get(f"{base}/demo/?lang={language}")
    wait(browser, lambda it: len(it.find_elements(By.CSS_SELECTOR, ".patient")) == 8)


def wait(browser: webdriver.Chrome, for_what: Any) -> Any:
    return WebDriverWait(browser, PATIENCE, poll_frequency=0.1).until(for_what)


def open_patient(browser: webdriver.Chrome, words: str) -> None:
    browser.find_element(By.XPATH, f"//button[contains(@class, 'patient')][contains(., '{words}')]").click()
    answered(browser)


def answered(browser: webdriver.Chrome) -> None:
    wait(browser, lambda it: it.find_elements(By.CSS_SELECTOR, ".card, .silence, .fault"))


def press(browser: webdriver.Chrome, label: str) -> None:
    browser.find_element(By.XPATH, f"//button[normalize-space()='{label}']").click()


def text(browser: webdriver.Chrome, selector: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, selector).text


def dismiss(browser: webdriver.Chrome, reason: str) -> None:
    Select(browser.find_element(By.ID, "reason")).select_by_visible_text(reason)
    press(browser, "Dismiss")
    wait(browser, lambda it: it.find_elements(By.CSS_SELECTOR, ".done"))


def type_note(browser: webdriver.Chrome, note: str, age: str = "34") -> None:
    """Fills in the form and opens the note as a chart."""
    if not browser.find_element(By.ID, "own-note").is_displayed():
        browser.find_element(By.ID, "paste").click()
    browser.execute_script("document.getElementById('note-text').value = arguments[0]", note)
    browser.find_element(By.NAME, "age").send_keys(age)
    Select(browser.find_element(By.NAME, "sex")).select_by_value("female")
    press(browser, "Open as a chart")
    answered(browser)


def test_opening_a_patient_brings_the_card_beside_the_chart_and_its_words_are_marked(browser: webdriver.Chrome) -> None:
    assert browser.find_elements(By.CSS_SELECTOR, ".card") == []
    open_patient(browser, "after a long flight")
    assert "Pulmonary embolism" in text(browser, ".card > h3")
    assert "sudden shortness of breath" in text(browser, ".detail li")
    assert browser.find_elements(By.CSS_SELECTOR, ".detail strong")
    marked = [mark.text for mark in browser.find_elements(By.CSS_SELECTOR, ".text mark.for")]
    assert "sudden shortness of breath" in marked
    assert len(browser.find_elements(By.CSS_SELECTOR, ".note")) == 2
    assert text(browser, ".note h4").startswith("Emergency department note")  # the newest first
    assert "D-dimer" in text(browser, "table")
    assert "high" in text(browser, "table")
    assert text(browser, "#latency").startswith("Answered in ")
    assert int(text(browser, "#latency").split()[2]) > 0
    assert text(browser, ".decide") == "dxspan suggests. You decide."
    assert [entry for entry in browser.get_log("browser") if "favicon" not in entry["message"]] == []


def test_the_cards_link_opens_the_viewer_beside_the_list_with_notes_marks_and_tabs(browser: webdriver.Chrome) -> None:
    """The SMART launch, whole: the page's form, the EHR's authorization server, PKCE, token, session, page, in its frame."""
    open_patient(browser, "after a long flight")
    first = text(browser, ".card > h3")
    press(browser, "See the words in the notes")
    assert not browser.find_element(By.CSS_SELECTOR, "#look").is_displayed()
    assert browser.switch_to.active_element.text == "Back to chart and card"
    in_viewer(browser, "#diagnoses .line a")
    assert browser.find_element(By.CSS_SELECTOR, "header .summary").text == first
    browser.find_element(By.PARTIAL_LINK_TEXT, "sudden shortness of breath").click()
    assert browser.switch_to.active_element.find_elements(By.XPATH, "./ancestor::mark")
    browser.find_element(By.LINK_TEXT, "Record summary").click()
    wait(browser, lambda it: it.find_elements(By.CSS_SELECTOR, ".line.quoted q"))
    browser.find_element(By.LINK_TEXT, "Ask the chart").click()
    wait(browser, lambda it: it.find_elements(By.ID, "question"))[0].send_keys(
        "When did the shortness of breath begin?"
    )
    press(browser, "Ask")
    wait(browser, lambda it: it.find_elements(By.CSS_SELECTOR, ".answer q"))
    browser.switch_to.default_content()
    assert "demo-" not in browser.current_url + browser.title
    press(browser, "Back to chart and card")
    assert browser.find_element(By.CSS_SELECTOR, ".card").is_displayed()
    assert browser.switch_to.active_element.text == "See the words in the notes"
    browser.switch_to.frame(browser.find_element(By.NAME, "app"))
    wait(browser, lambda it: it.execute_script("return location.href") == "about:blank")
    browser.switch_to.default_content()
    faults = [entry for entry in browser.get_log("browser") if entry["level"] not in ("INFO", "DEBUG")]
    assert [entry for entry in faults if "favicon" not in entry["message"]] == []


def in_viewer(browser: webdriver.Chrome, selector: str) -> None:
    """Goes into the frame and waits until it holds that."""

    def there(it: webdriver.Chrome) -> bool:
        it.switch_to.default_content()
        it.switch_to.frame(it.find_element(By.NAME, "app"))
        return bool(it.find_elements(By.CSS_SELECTOR, selector))

    wait(browser, there)


def test_the_viewer_opens_on_ones_own_note_and_goes_when_another_patient_is_opened(browser: webdriver.Chrome) -> None:
    type_note(browser, OWN_NOTE)
    press(browser, "See the words in the notes")
    in_viewer(browser, "mark[data-places]")
    assert OWN_NOTE in (browser.find_element(By.ID, "notes").get_attribute("textContent") or "")
    browser.switch_to.default_content()
    open_patient(browser, "night of abdominal pain")
    assert not browser.find_element(By.ID, "app").is_displayed()
    press(browser, "See the words in the notes")
    in_viewer(browser, "mark[data-places]")
    assert OWN_NOTE not in (browser.find_element(By.ID, "notes").get_attribute("textContent") or "")
    browser.switch_to.default_content()


def test_by_another_name_of_this_machine_the_viewer_opens_in_a_window_of_its_own(
    browser: webdriver.Chrome, base: str
) -> None:
    here = browser.current_window_handle
    visit(browser, base.replace("127.0.0.1", "localhost"))
    open_patient(browser, "after a long flight")
    press(browser, "See the words in the notes")
    wait(browser, lambda it: len(it.window_handles) == 2)
    browser.switch_to.window(next(one for one in browser.window_handles if one != here))
    try:
        wait(browser, lambda it: it.find_elements(By.CSS_SELECTOR, "mark[data-places]"))
        assert browser.title == "dxspan – evidence in the notes"
    finally:
        browser.close()
        browser.switch_to.window(here)


def test_what_is_dismissed_stays_dismissed_and_the_page_says_why(browser: webdriver.Chrome) -> None:
    open_patient(browser, "night of abdominal pain")
    button = browser.find_element(By.CSS_SELECTOR, ".dismiss button")
    assert not button.is_enabled()
    dismiss(browser, "Does not apply to this patient")
    assert "Does not apply to this patient" in text(browser, ".done")
    press(browser, "Open the patient again")
    answered(browser)
    assert browser.find_elements(By.CSS_SELECTOR, ".card") == []
    assert "a clinician dismissed it for this patient, and nothing new speaks for it" in text(browser, ".silence")
    assert "Silence is not reassurance" in text(browser, ".silence")
    open_patient(browser, "after a long flight")
    assert browser.find_elements(By.CSS_SELECTOR, ".card")


def test_a_card_seen_already_is_not_repeated_until_the_next_encounter(browser: webdriver.Chrome) -> None:
    open_patient(browser, "two years of tiredness")
    open_patient(browser, "two years of tiredness")
    wait(browser, lambda it: it.find_elements(By.CSS_SELECTOR, ".silence"))
    assert "this reader has seen the same card in this encounter" in text(browser, ".silence")
    press(browser, "Begin a new encounter")
    wait(browser, lambda it: it.find_elements(By.CSS_SELECTOR, ".card"))


def test_what_is_accepted_stands_on_the_problem_list_as_unconfirmed(browser: webdriver.Chrome) -> None:
    open_patient(browser, "高热与全身酸痛")
    assert text(browser, ".card > h3").startswith("请考虑")
    browser.find_element(By.CSS_SELECTOR, ".accept").click()
    wait(browser, lambda it: it.find_elements(By.CSS_SELECTOR, ".done"))
    assert text(browser, "#problems li").endswith("unconfirmed")
    assert "It is on the problem list now" in text(browser, ".done")
    press(browser, "Open the patient again")
    answered(browser)
    assert "流行性感冒" not in "".join(one.text for one in browser.find_elements(By.CSS_SELECTOR, ".card > h3"))


def test_a_chart_without_a_suggestion_says_so_and_reassures_nobody(browser: webdriver.Chrome) -> None:
    open_patient(browser, "yearly check")
    assert "No card" in text(browser, ".silence")
    assert "Why: no finding in the notes speaks for any diagnosis." in text(browser, ".silence")
    assert "nothing has been ruled out" in text(browser, ".silence")


def test_ones_own_note_becomes_a_chart_with_a_card(browser: webdriver.Chrome) -> None:
    browser.find_element(By.ID, "paste").click()
    assert "Stays on this machine" in text(browser, "#own-note")
    assert browser.find_element(By.ID, "note-text").get_attribute("spellcheck") == "false"
    type_note(browser, OWN_NOTE)
    assert "Influenza" in text(browser, ".card > h3")
    assert "Your note 1" in text(browser, ".patient[aria-current]")
    assert "34 years" in text(browser, ".who")
    assert OWN_NOTE in text(browser, ".note .text")
    assert browser.execute_script("return [localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]


def test_e13_hostile_text_of_a_note_does_not_become_markup(browser: webdriver.Chrome) -> None:
    strings = [one for texts in hostile_strings().values() for one in texts if len(one) < 300 and one.strip()]
    quoted = "".join(f"High fever {one} since Monday, dry cough {one} and body aches. " for one in strings[:6])
    type_note(browser, "\n".join([OWN_NOTE, quoted, *strings]))
    assert browser.find_elements(By.CSS_SELECTOR, ".note .text")
    assert browser.execute_script("return 'taken' in window") is False
    assert browser.find_elements(By.CSS_SELECTOR, "img, style, base, object, #opened a, #opened script") == []
    assert len(browser.find_elements(By.CSS_SELECTOR, "iframe")) == 1
    assert len(browser.find_elements(By.CSS_SELECTOR, "script")) == 1
    assert browser.execute_script(HANDLERS) is False
    inside = "return [...document.querySelectorAll('.text *')].map(e => e.tagName)"
    assert set(browser.execute_script(inside)) <= {"MARK"}
    shown = browser.find_element(By.CSS_SELECTOR, ".note .text").get_attribute("textContent") or ""
    assert "<script>window.taken=1</script>" in shown
    assert [entry for entry in browser.get_log("browser") if "Content Security Policy" in entry["message"]] == []


def test_e13_a_card_that_holds_markup_is_shown_as_text(browser: webdriver.Chrome) -> None:
    """Whatever a service sends: the page trusts no card, not even dxspan's."""
    strings = [one for texts in hostile_strings().values() for one in texts]
    drawn = """const [strings, done] = arguments;
      import(location.origin + '/demo/static/card.js').then(({ drawCard }) => {
        const card = drawCard({ summary: strings.join(' '), detail: strings.join('\\n\\n'), indicator: 'info',
          source: { label: strings[0] }, suggestions: strings.map(label => ({ label, actions: [] })),
          overrideReasons: strings.map(display => ({ display })),
          links: strings.flatMap(url => ['absolute', 'smart'].map(type => ({ type, url, label: url, appContext: url }))) },
          { app: location.origin + '/viewer/launch', context: { userId: '', patientId: '' } });
        document.getElementById('answer').replaceChildren(card);
        setTimeout(() => done([...card.querySelectorAll('*')].map(e => e.tagName)), 100);
      }).catch(fault => done([String(fault)]));"""
    tags = set(browser.execute_async_script(drawn, strings))
    allowed = {"P", "H3", "DIV", "UL", "OL", "LI", "STRONG", "EM", "SPAN", "BUTTON", "LABEL", "SELECT", "OPTION", "A"}
    assert tags <= allowed
    assert browser.execute_script("return 'taken' in window") is False
    schemes = "return [...document.links].map(a => a.protocol).filter(p => !/^https?:$/.test(p))"
    assert browser.execute_script(schemes) == []
    assert browser.execute_script(HANDLERS) is False


def test_a_service_that_is_away_is_not_taken_for_nothing_found(browser: webdriver.Chrome) -> None:
    browser.execute_script("window.fetch = () => Promise.reject(new TypeError('away'))")
    open_patient(browser, "yearly check")
    assert "dxspan does not answer" in text(browser, ".fault")
    assert browser.find_elements(By.CSS_SELECTOR, ".silence") == []
    browser.execute_script("window.fetch = () => Promise.resolve(new Response('{}', {status: 503}))")
    open_patient(browser, "a hot toe")
    wait(browser, lambda it: "status 503" in it.find_element(By.CSS_SELECTOR, ".fault").text)


def test_the_page_speaks_chinese(browser: webdriver.Chrome, base: str) -> None:
    open_patient(browser, "yearly check")
    press(browser, "中文")
    assert "没有卡片" in text(browser, ".silence")
    assert "病历中没有支持任何诊断的表现" in text(browser, ".silence")
    assert browser.execute_script("return document.documentElement.lang") == "zh-Hans"
    assert text(browser, "#patients-title") == "患者"
    visit(browser, base, "zh")
    assert text(browser, "#start-over") == "重新开始"
    english = "return [...document.querySelectorAll('[data-word]')].filter(e => /^[ -~]+$/.test(e.textContent.trim()))"
    assert browser.execute_script(english) == []


@pytest.mark.parametrize(("width", "language"), [(800, "en"), (390, "zh")])
def test_the_page_keeps_wcag_aa_and_its_width(driver: webdriver.Chrome, base: str, width: int, language: str) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core: `make setup-test` installs it")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        visit(driver, base, language)
        driver.find_element(By.ID, "paste").click()
        open_patient(driver, "two years of tiredness" if language == "en" else "口渴")
        assert violations(driver) == {}
        assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
