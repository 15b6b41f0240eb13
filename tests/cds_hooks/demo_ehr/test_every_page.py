"""Each page that a person sees, in a real browser before a real `dxspan-serve` with the shipped model, in both languages.

WCAG AA (axe), less than 200 kB over the wire, framed by listed origins alone, reached whole by keyboard, and nothing of the
patient in address, title or storage. What a single page promises besides is tested beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.cds_hooks.demo_ehr.conftest import TOKEN, Site
from tests.page_checks import AXE, kept, transferred, unreached, violations

PATIENCE = 60
MOST_BYTES = 200_000
OF_THE_PATIENT = ("chest", "flight", "calf", "embolism", "chest-pain", "demo-pat")


def wait(browser: webdriver.Chrome, selector: str) -> Any:
    found = WebDriverWait(browser, PATIENCE, poll_frequency=0.1).until(
        lambda it: it.find_elements(By.CSS_SELECTOR, selector)
    )
    return found[0]


def tab(name: str, selector: str) -> Callable[[webdriver.Chrome, Site, str], None]:
    def open_tab(browser: webdriver.Chrome, site: Site, language: str) -> None:
        browser.get(site.session())
        wait(browser, "mark[data-places]")
        browser.get(f"{browser.current_url}{name}?lang={language}")
        wait(browser, selector)

    return open_tab


def answered(browser: webdriver.Chrome, site: Site, language: str) -> None:
    tab("/questions", "#question")(browser, site, language)
    wait(browser, "#question").send_keys("Was there hemoptysis?", Keys.ENTER)
    wait(browser, ".answer q")


def demo_list(browser: webdriver.Chrome, site: Site, language: str) -> None:
    browser.get(f"{site.base}/demo/?lang={language}")
    wait(browser, ".patient")


def demo_chart(browser: webdriver.Chrome, site: Site, language: str) -> None:
    demo_list(browser, site, language)
    browser.find_element(By.XPATH, "//button[contains(., 'after a long flight')]").click()
    wait(browser, ".card")


def operators(browser: webdriver.Chrome, site: Site, language: str) -> None:
    address = site.base.replace("http://", f"http://operator:{TOKEN}@")
    browser.get(f"{address}/operators?lang={language}")
    wait(browser, "#pause:not([hidden])").click()


def public(path: str) -> Callable[[webdriver.Chrome, Site, str], None]:
    def open_page(browser: webdriver.Chrome, site: Site, language: str) -> None:
        browser.get(f"{site.base}{path}?lang={language}")
        wait(browser, "main")

    return open_page


@dataclass(frozen=True)
class Shown:
    """One page: how it is opened, a word of each language that must be read there, may a listed origin frame it?"""

    name: str
    open: Callable[[webdriver.Chrome, Site, str], None]
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
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_keeps_what_pages_promise(
    driver: webdriver.Chrome, site: Site, page: Shown, language: str, width: int
) -> None:
    browser = driver
    if not AXE.exists():
        pytest.skip("no axe-core: `make setup-test` installs it")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    browser.get_log("browser")
    page.open(browser, site, language)
    address, title = browser.current_url, browser.title
    assert (page.zh if language == "zh" else page.en) in browser.find_element(By.TAG_NAME, "body").text
    assert str(browser.execute_script("return document.documentElement.lang")).startswith(language)
    assert 0 < transferred(browser) < MOST_BYTES
    assert [word for word in OF_THE_PATIENT if word in (address + title).lower()] == []
    assert kept(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth"), "as wide as its window"
    assert violations(browser) == {}
    assert unreached(browser) == []
    severe = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [message for message in severe if "favicon" not in message] == []
    if language == "en" and page.name != "answer":
        framed_by_listed_origins_alone(browser, site, page, address)


def framed_by_listed_origins_alone(browser: webdriver.Chrome, site: Site, page: Shown, address: str) -> None:
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert site.framing.text(browser, address) == ""
    browser.get(f"{site.base}/demo/")  # whose origin the demo lists
    browser.execute_script("document.getElementById('app').hidden = false")
    frame = browser.find_element(By.NAME, "app")
    loaded = """const [frame, url, done] = arguments; frame.addEventListener('load', () => done()); frame.src = url;
      setTimeout(done, 3000)"""
    browser.execute_async_script(loaded, frame, address)
    browser.switch_to.frame(frame)
    shown = page.en in browser.find_element(By.TAG_NAME, "body").text
    browser.switch_to.default_content()
    assert shown is page.framed
