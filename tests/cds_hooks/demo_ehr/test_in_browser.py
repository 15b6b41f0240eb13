"""The demo EHR in a real browser before a real `dxspan-serve` with the shipped model: what a newcomer does in a minute."""

from __future__ import annotations

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser import listen
from tests.cds_hooks.demo_ehr.conftest import Site
from tests.page_checks import AXE, as_wide_as_its_window, framed, handlers, kept, taken, violations
from tests.renderers.hostile_cards import hostile_strings

OWN_NOTE = "High fever since yesterday, dry cough, severe body aches, headache and chills."


@pytest.fixture
def base(site: Site) -> str:
    return site.base


@pytest.fixture
def page(page: Page, base: str) -> Page:
    """A fresh visit."""
    visit(page, base)
    return page


def visit(page: Page, base: str, language: str = "en") -> None:
    page.goto(f"{base}/demo/?lang={language}")
    expect(page.locator(".patient")).to_have_count(8)


def open_patient(page: Page, words: str) -> None:
    page.locator("button.patient", has_text=words).click()
    answered(page)


def answered(page: Page) -> None:
    expect(page.locator(".card, .silence, .fault").first).to_be_attached()


def press(page: Page | FrameLocator, label: str) -> None:
    page.get_by_role("button", name=label, exact=True).click()


def text(page: Page, selector: str) -> str:
    return page.locator(selector).first.inner_text()


def in_viewer(page: Page, selector: str) -> FrameLocator:
    """The viewer's frame, once it holds that."""
    viewer = page.frame_locator("[name=app]")
    expect(viewer.locator(selector).first).to_be_attached()
    return viewer


def dismiss(page: Page, reason: str) -> None:
    page.locator("#reason").select_option(label=reason)
    press(page, "Dismiss")
    expect(page.locator(".done").first).to_be_attached()


def type_note(page: Page, note: str, age: str = "34") -> None:
    """Fills in the form and opens the note as a chart."""
    if not page.locator("#own-note").is_visible():
        page.locator("#paste").click()
    page.evaluate("note => { document.getElementById('note-text').value = note }", note)
    page.locator("[name=age]").fill(age)
    page.locator("[name=sex]").select_option("female")
    press(page, "Open as a chart")
    answered(page)


def test_opening_a_patient_brings_the_card_beside_the_chart_and_its_words_are_marked(page: Page, base: str) -> None:
    heard = listen(page)
    visit(page, base)
    assert page.locator(".card").count() == 0
    open_patient(page, "after a long flight")
    assert "Pulmonary embolism" in text(page, ".card > h3")
    assert "sudden shortness of breath" in text(page, ".detail li")
    assert page.locator(".detail strong").count()
    assert "sudden shortness of breath" in page.locator(".text mark.for").all_inner_texts()
    assert page.locator(".note").count() == 2
    assert text(page, ".note h4").startswith("Emergency department note")  # the newest first
    assert "D-dimer" in text(page, "table")
    assert "high" in text(page, "table")
    assert text(page, "#latency").startswith("Answered in ")
    assert int(text(page, "#latency").split()[2]) > 0
    assert text(page, ".decide") == "dxspan suggests. You decide."
    assert [line for line in heard.console if "favicon" not in line] == []


def test_the_cards_link_opens_the_viewer_beside_the_list_with_notes_marks_and_tabs(page: Page) -> None:
    """The SMART launch, whole: the page's form, the EHR's authorization server, PKCE, token, session, page, in its frame."""
    heard = listen(page)
    open_patient(page, "after a long flight")
    first = text(page, ".card > h3")
    press(page, "See the words in the notes")
    assert not page.locator("#look").is_visible()
    assert text(page, ":focus") == "Back to chart and card"
    viewer = in_viewer(page, "#diagnoses .line a")
    assert viewer.locator("header .summary").inner_text() == first
    viewer.get_by_role("link", name="sudden shortness of breath").first.click()
    assert viewer.locator("mark :focus").count() == 1
    viewer.get_by_role("link", name="Record summary", exact=True).click()
    expect(viewer.locator(".line.quoted q").first).to_be_attached()
    viewer.get_by_role("link", name="Ask the chart", exact=True).click()
    viewer.locator("#question").fill("When did the shortness of breath begin?")
    press(viewer, "Ask")
    expect(viewer.locator(".answer q").first).to_be_attached()
    assert "demo-" not in page.url + page.title()
    press(page, "Back to chart and card")
    assert page.locator(".card").first.is_visible()
    assert text(page, ":focus") == "See the words in the notes"
    framed(page, "[name=app]").wait_for_function("() => location.href === 'about:blank'")
    faults = [line for line in heard.console if line.startswith(("error ", "warning ")) and "favicon" not in line]
    assert faults == []


def test_the_viewer_opens_on_ones_own_note_and_goes_when_another_patient_is_opened(page: Page) -> None:
    type_note(page, OWN_NOTE)
    press(page, "See the words in the notes")
    viewer = in_viewer(page, "mark[data-places]")
    assert OWN_NOTE in (viewer.locator("#notes").text_content() or "")
    open_patient(page, "night of abdominal pain")
    assert not page.locator("#app").is_visible()
    press(page, "See the words in the notes")
    viewer = in_viewer(page, "mark[data-places]")
    assert OWN_NOTE not in (viewer.locator("#notes").text_content() or "")


def test_by_another_name_of_this_machine_the_viewer_opens_in_a_window_of_its_own(page: Page, base: str) -> None:
    visit(page, base.replace("127.0.0.1", "localhost"))
    open_patient(page, "after a long flight")
    with page.expect_popup() as opened:
        press(page, "See the words in the notes")
    expect(opened.value.locator("mark[data-places]").first).to_be_attached()
    assert opened.value.title() == "dxspan – evidence in the notes"
    assert len(page.context.pages) == 2


def test_what_is_dismissed_stays_dismissed_and_the_page_says_why(page: Page) -> None:
    open_patient(page, "night of abdominal pain")
    button = page.locator(".dismiss button")
    assert not button.is_enabled()
    dismiss(page, "Does not apply to this patient")
    assert "Does not apply to this patient" in text(page, ".done")
    press(page, "Open the patient again")
    answered(page)
    assert page.locator(".card").count() == 0
    assert "a clinician dismissed it for this patient, and nothing new speaks for it" in text(page, ".silence")
    assert "Silence is not reassurance" in text(page, ".silence")
    open_patient(page, "after a long flight")
    assert page.locator(".card").count()


def test_a_card_seen_already_is_not_repeated_until_the_next_encounter(page: Page) -> None:
    open_patient(page, "two years of tiredness")
    open_patient(page, "two years of tiredness")
    expect(page.locator(".silence").first).to_be_attached()
    assert "this reader has seen the same card in this encounter" in text(page, ".silence")
    press(page, "Begin a new encounter")
    expect(page.locator(".card").first).to_be_attached()


def test_what_is_accepted_stands_on_the_problem_list_as_unconfirmed(page: Page) -> None:
    open_patient(page, "高热与全身酸痛")
    assert text(page, ".card > h3").startswith("请考虑")
    page.locator(".accept").first.click()
    expect(page.locator(".done").first).to_be_attached()
    assert text(page, "#problems li").endswith("unconfirmed")
    assert "It is on the problem list now" in text(page, ".done")
    press(page, "Open the patient again")
    answered(page)
    assert "流行性感冒" not in "".join(page.locator(".card > h3").all_inner_texts())


def test_a_chart_without_a_suggestion_says_so_and_reassures_nobody(page: Page) -> None:
    open_patient(page, "yearly check")
    assert "No card" in text(page, ".silence")
    assert "Why: the evidence is too weak for a suggestion." in text(page, ".silence")
    assert "nothing has been ruled out" in text(page, ".silence")


def test_ones_own_note_becomes_a_chart_with_a_card(page: Page) -> None:
    page.locator("#paste").click()
    assert "Stays on this machine" in text(page, "#own-note")
    assert page.locator("#note-text").get_attribute("spellcheck") == "false"
    type_note(page, OWN_NOTE)
    assert "Influenza" in text(page, ".card > h3")
    assert "Your note 1" in text(page, ".patient[aria-current]")
    assert "34 years" in text(page, ".who")
    assert OWN_NOTE in text(page, ".note .text")
    assert kept(page) == []


def test_e13_hostile_text_of_a_note_does_not_become_markup(page: Page) -> None:
    strings = [one for texts in hostile_strings().values() for one in texts if len(one) < 300 and one.strip()]
    quoted = "".join(f"High fever {one} since Monday, dry cough {one} and body aches. " for one in strings[:6])
    heard = listen(page)
    type_note(page, "\n".join([OWN_NOTE, quoted, *strings]))
    assert page.locator(".note .text").count()
    assert not taken(page)
    assert page.locator("img, style, base, object, #opened a, #opened script").count() == 0
    assert page.locator("iframe").count() == 1
    assert page.locator("script").count() == 1
    assert not handlers(page)
    inside = "() => [...document.querySelectorAll('.text *')].map(e => e.tagName)"
    assert set(page.evaluate(inside)) <= {"MARK"}
    shown = page.locator(".note .text").text_content() or ""
    assert "<script>window.taken=1</script>" in shown
    assert heard.refused() == []


def test_e13_a_card_that_holds_markup_is_shown_as_text(page: Page) -> None:
    """Whatever a service sends: the page trusts no card, not even dxspan's."""
    strings = [one for texts in hostile_strings().values() for one in texts]
    drawn = """strings => import(location.origin + '/demo/static/card.js').then(({ drawCard }) => {
        const card = drawCard({ summary: strings.join(' '), detail: strings.join('\\n\\n'), indicator: 'info',
          source: { label: strings[0] }, suggestions: strings.map(label => ({ label, actions: [] })),
          overrideReasons: strings.map(display => ({ display })),
          links: strings.flatMap(url => ['absolute', 'smart'].map(type => ({ type, url, label: url, appContext: url }))) },
          { app: location.origin + '/viewer/launch', context: { userId: '', patientId: '' } });
        document.getElementById('answer').replaceChildren(card);
        return new Promise(done => setTimeout(() => done([...card.querySelectorAll('*')].map(e => e.tagName)), 100));
      })"""
    tags = set(page.evaluate(drawn, strings))
    allowed = {"P", "H3", "DIV", "UL", "OL", "LI", "STRONG", "EM", "SPAN", "BUTTON", "LABEL", "SELECT", "OPTION", "A"}
    assert tags <= allowed
    assert not taken(page)
    schemes = "() => [...document.links].map(a => a.protocol).filter(p => !/^https?:$/.test(p))"
    assert page.evaluate(schemes) == []
    assert not handlers(page)


def test_a_service_that_is_away_is_not_taken_for_nothing_found(page: Page) -> None:
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('away')) }")
    open_patient(page, "yearly check")
    assert "dxspan does not answer" in text(page, ".fault")
    assert page.locator(".silence").count() == 0
    page.evaluate("() => { window.fetch = () => Promise.resolve(new Response('{}', {status: 503})) }")
    open_patient(page, "a hot toe")
    expect(page.locator(".fault").first).to_contain_text("status 503")


def test_the_page_speaks_chinese(page: Page, base: str) -> None:
    open_patient(page, "yearly check")
    press(page, "中文")
    assert "没有卡片" in text(page, ".silence")
    assert "依据太弱，不足以提出建议" in text(page, ".silence")
    assert page.evaluate("() => document.documentElement.lang") == "zh-Hans"
    assert text(page, "#patients-title") == "患者"
    visit(page, base, "zh")
    assert text(page, "#start-over") == "重新开始"
    english = "() => [...document.querySelectorAll('[data-word]')].filter(e => /^[ -~]+$/.test(e.textContent.trim()))"
    assert page.evaluate(english) == []


@pytest.mark.parametrize(("width", "language"), [(800, "en"), (390, "zh")])
def test_the_page_keeps_wcag_aa_and_its_width(page: Page, base: str, width: int, language: str) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core: `make setup-test` installs it")
    page.set_viewport_size({"width": width, "height": 900})
    visit(page, base, language)
    page.locator("#paste").click()
    open_patient(page, "two years of tiredness" if language == "en" else "口渴")
    assert violations(page) == {}
    assert as_wide_as_its_window(page)
