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
from playwright.sync_api import Browser, Frame, Page, expect

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs.pictures import beside  # noqa: E402  the path comes first
from tests.browser import open_browser, open_page  # noqa: E402
from tests.page_checks import framed  # noqa: E402
from worker.local_redis import free_port  # noqa: E402

DOCS = ROOT / "docs"
WIDE, NARROW, HEIGHT = 1440, 400, 900
PATIENCE = 120
COLOURS = 96
ENGLISH, CHINESE = "after a long flight", "高热与全身酸痛"
QUESTIONS = {"en": "When did the shortness of breath begin?", "zh": "什么时候开始发热？"}

Draw = Callable[[Page, str, str], object]
"""(page, base address, language) -> the page as it is to be drawn."""


def main() -> int:
    pages: dict[str, Draw] = {
        "demo": chart, "demo-viewer": viewer, "summary": summary, "questions": questions, "transparency": transparency,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as base, open_browser() as browser:
        for name, draw in pages.items():
            wide, narrow = shot(browser, base, WIDE, "en", draw), shot(browser, base, NARROW, "zh", draw)
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


def shot(browser: Browser, base: str, width: int, language: str, draw: Draw) -> Image.Image:
    """The page at that width."""
    with open_page(browser, width, HEIGHT) as page:
        draw(page, base, language)
        for frame in page.frames:
            frame.evaluate("() => document.activeElement?.blur()")
        return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def chart(page: Page, base: str, language: str) -> None:
    """A patient is open."""
    for _ in range(2):  # the second time warm, as the latency shown is to be
        page.goto(f"{base}/demo/?lang={language}")
        page.locator("button", has_text=ENGLISH if language == "en" else CHINESE).click()
        expect(page.locator("article.card").first).to_be_visible()


def viewer(page: Page, base: str, language: str) -> Frame:
    """The card's link was clicked; one piece of evidence, too."""
    chart(page, base, language)
    page.locator("form.app-link button").first.click()
    frame = framed(page, "[name=app]")
    frame.wait_for_url("**/viewer/session/*")
    expect(frame.locator("button.only").first).to_be_visible()
    if language == "en":
        frame.locator("a", has_text="pleuritic").first.click()
    return frame


def summary(page: Page, base: str, language: str) -> None:
    alone(page, base, language, "/summary")


def questions(page: Page, base: str, language: str) -> None:
    """A question was answered."""
    alone(page, base, language, "/questions")
    page.locator("#question").fill(QUESTIONS[language])
    page.keyboard.press("Enter")
    expect(page.locator("section.answer").first).to_be_visible()


def alone(page: Page, base: str, language: str, tab: str) -> None:
    """The viewer's tab in a window of its own."""
    session = viewer(page, base, language).evaluate("() => document.body.dataset.session")
    page.goto(f"{base}{session}{tab}?lang={language}")


def transparency(page: Page, base: str, language: str) -> None:
    page.goto(f"{base}/transparency?lang={language}")
    expect(page.locator("table").first).to_be_visible()


if __name__ == "__main__":
    sys.exit(main())
