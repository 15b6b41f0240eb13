"""Draws docs/demo.png and docs/demo-viewer.png, docs/summary.png, docs/questions.png, docs/transparency.png: the demo EHR with a
sample chart open, the viewer in it with its tabs, and the transparency page; each wide, and beside it as narrow as a telephone.

`python docs/draw_demo.py` (needs Chromium). Starts the real service with the shipped model and clicks in a real browser.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs.pictures import beside  # noqa: E402  the path comes first
from tests.browser import open_browser  # noqa: E402
from worker.local_redis import free_port  # noqa: E402

DOCS = ROOT / "docs"
WIDE, NARROW, HEIGHT = 1440, 400, 900
PATIENCE = 120
COLOURS = 96
ENGLISH, CHINESE = "after a long flight", "高热与全身酸痛"
QUESTIONS = {"en": "When did the shortness of breath begin?", "zh": "什么时候开始发热？"}

Draw = Callable[[webdriver.Chrome, str, str], None]
"""(browser, base address, language) -> the page as it is to be drawn."""


def main() -> int:
    pages: dict[str, Draw] = {
        "demo": chart, "demo-viewer": viewer, "summary": summary, "questions": questions, "transparency": transparency,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as base:
        for name, draw in pages.items():
            wide, narrow = shot(base, WIDE, "en", draw), shot(base, NARROW, "zh", draw)
            beside(wide, narrow, colours=COLOURS).save(DOCS / f"{name}.png", optimize=True)
    return 0


@contextmanager
def service(folder: Path) -> Iterator[str]:
    """A service of its own, whose memory ends with it; its base address."""
    port = free_port()
    settings = {
        "DXSPAN_DEMO_PAGE": "true", "DXSPAN_DEADLINE_MS": "20000", "DXSPAN_FEEDBACK_DATABASE_URL": "sqlite://",
        "DXSPAN_AUDIT_FOLDER": str(folder / "audit"),
    }  # fmt: skip
    command = [sys.executable, "-m", "cds_hooks", "--port", str(port), "--development"]
    child = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    base = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{base}/readyz", timeout=2, trust_env=False).status_code == 200:
                    break
            time.sleep(0.2)
        yield base
    finally:
        child.terminate()
        child.wait(20)


def shot(base: str, width: int, language: str, draw: Draw) -> Image.Image:
    """The page at that width."""
    browser = open_browser(width, HEIGHT)
    try:
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False},
        )
        draw(browser, base, language)
        browser.execute_script("document.activeElement.blur()")
        browser.switch_to.default_content()
        return Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    finally:
        browser.quit()


def chart(browser: webdriver.Chrome, base: str, language: str) -> None:
    """A patient is open."""
    for _ in range(2):  # the second time warm, as the latency shown is to be
        browser.get(f"{base}/demo/?lang={language}")
        patient = ENGLISH if language == "en" else CHINESE
        found(browser, f"//button[contains(., '{patient}')]").click()
        found(browser, "//article[contains(@class, 'card')]")


def viewer(browser: webdriver.Chrome, base: str, language: str) -> None:
    """The card's link was clicked; one piece of evidence, too."""
    chart(browser, base, language)
    found(browser, "//form[@class='app-link']/button").click()
    browser.switch_to.frame(browser.find_element(By.NAME, "app"))
    found(browser, "//button[contains(@class, 'only')][not(@hidden)]")
    if language == "en":
        found(browser, "//a[contains(., 'pleuritic')]").click()


def summary(browser: webdriver.Chrome, base: str, language: str) -> None:
    alone(browser, base, language, "/summary")


def questions(browser: webdriver.Chrome, base: str, language: str) -> None:
    """A question was answered."""
    alone(browser, base, language, "/questions")
    found(browser, "//input[@id='question']").send_keys(QUESTIONS[language], Keys.ENTER)
    found(browser, "//section[contains(@class, 'answer')]")


def alone(browser: webdriver.Chrome, base: str, language: str, tab: str) -> None:
    """The viewer's tab in a window of its own."""
    viewer(browser, base, language)
    session = browser.execute_script("return document.body.dataset.session")
    browser.switch_to.default_content()
    browser.get(f"{base}{session}{tab}?lang={language}")


def transparency(browser: webdriver.Chrome, base: str, language: str) -> None:
    browser.get(f"{base}/transparency?lang={language}")
    found(browser, "//table")


def found(browser: webdriver.Chrome, xpath: str) -> webdriver.remote.webelement.WebElement:
    return WebDriverWait(browser, PATIENCE, poll_frequency=0.1).until(lambda it: it.find_elements(By.XPATH, xpath))[0]


if __name__ == "__main__":
    sys.exit(main())
