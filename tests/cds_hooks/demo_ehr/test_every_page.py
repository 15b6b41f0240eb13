"""Each page that a person sees, in a real browser before a real `dxspan-serve` with the shipped model, in both languages.

WCAG AA (axe), less than 200 kB over the wire, framed by listed origins alone, reached whole by keyboard, and nothing of the
patient in address, title or storage. What a single page promises besides is tested beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser import listen
from tests.cds_hooks.demo_ehr.conftest import TOKEN, Site
from tests.page_checks import AXE, as_wide_as_its_window, framed, kept, transferred, unreached, violations

MOST_BYTES = 200_000
OF_THE_PATIENT = ("chest", "flight", "calf", "embolism", "chest-pain", "demo-pat")


Open = Callable[[Page, Site, str], None]
"""(page, site, language) -> the page is open there in that language."""


def tab(name: str, selector: str) -> Open:
    def open_tab(page: Page, site: Site, language: str) -> None:
        page.goto(site.session())
        expect(page.locator("mark[data-places]").first).to_be_attached()
        page.goto(f"{page.url}{name}?lang={language}")
        expect(page.locator(selector).first).to_be_attached()

    return open_tab


def answered(page: Page, site: Site, language: str) -> None:
    tab("/questions", "#question")(page, site, language)
    page.locator("#question").fill("Was there hemoptysis?")
    page.keyboard.press("Enter")
    expect(page.locator(".answer q").first).to_be_attached()


def demo_list(page: Page, site: Site, language: str) -> None:
    page.goto(f"{site.base}/demo/?lang={language}")
    expect(page.locator(".patient").first).to_be_attached()


def demo_chart(page: Page, site: Site, language: str) -> None:
    demo_list(page, site, language)
    page.locator("button", has_text="after a long flight").click()
    expect(page.locator(".card").first).to_be_attached()


def operators(page: Page, site: Site, language: str) -> None:
    address = site.base.replace("http://", f"http://operator:{TOKEN}@")
    page.goto(f"{address}/operators?lang={language}")
    page.locator("#pause").click()


def public(path: str) -> Open:
    def open_page(page: Page, site: Site, language: str) -> None:
        page.goto(f"{site.base}{path}?lang={language}")
        expect(page.locator("main")).to_be_attached()

    return open_page


@dataclass(frozen=True)
class Shown:
    """One page: how it is opened, a word of each language that must be read there, may a listed origin frame it?"""

    name: str
    open: Open
    en: str
    zh: str
    framed: bool


PAGES = (
    Shown("evidence", tab("", "button.only:not([hidden])"), "Diagnoses to consider", "供参考的诊断", True),
    Shown("summary", tab("/summary", ".line.quoted"), "Record summary", "病历摘要", True),
    Shown("questions", tab("/questions", "#question"), "Your question", "您的问题", True),
    Shown("answer", answered, "From the chart, word for word", "病历原文", False),
    Shown("demo list", demo_list, "Open a patient", "请打开一位患者", False),
    Shown("demo chart", demo_chart, "You decide", "由您决定", False),
    Shown("operators", operators, "Acceptance", "采纳", False),
    Shown("transparency", public("/transparency"), "Source attributes", "来源属性", True),
    Shown("about", public("/about"), "Silence is not reassurance", "没有卡片不代表没有问题", True),
)


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh", 400)])
@pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)
def test_every_page_keeps_what_pages_promise(page: Page, site: Site, shown: Shown, language: str, width: int) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core: `make setup-test` installs it")
    page.set_viewport_size({"width": width, "height": 900})
    without_cache(page)
    heard = listen(page)
    shown.open(page, site, language)
    address, title = page.url, page.title()
    assert (shown.zh if language == "zh" else shown.en) in page.locator("body").inner_text()
    assert page.evaluate("() => document.documentElement.lang").startswith(language)
    assert 0 < transferred(page) < MOST_BYTES
    assert [word for word in OF_THE_PATIENT if word in (address + title).lower()] == []
    assert kept(page) == []
    assert as_wide_as_its_window(page)
    assert violations(page) == {}
    assert unreached(page) == []
    assert heard.faults() == []
    if language == "en" and shown.name != "answer":
        framed_by_listed_origins_alone(page, site, shown, address)


def without_cache(page: Page) -> None:
    """So that each page weighs what it weighs for a first visitor, also one that is the second of its visit."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})


def framed_by_listed_origins_alone(page: Page, site: Site, shown: Shown, address: str) -> None:
    assert site.framing.text(page, address) == ""
    page.goto(f"{site.base}/demo/")  # whose origin the demo lists
    loaded = """url => new Promise(done => {
      const app = document.getElementById('app'), frame = document.getElementsByName('app')[0];
      app.hidden = false; frame.addEventListener('load', () => done()); frame.src = url; setTimeout(done, 3000) })"""
    page.evaluate(loaded, address)
    assert (shown.en in framed(page, "[name=app]").locator("body").inner_text()) is shown.framed
