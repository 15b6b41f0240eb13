"""Draws docs/demo.png: the demo EHR with a sample chart open, wide, and beside it as narrow as a telephone.

`python docs/draw_demo.py` (needs Chromium). Starts the real service with the shipped model and clicks in a real browser.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs.pictures import beside  # noqa: E402  the path comes first
from tests.browser import open_browser  # noqa: E402
from worker.local_redis import free_port  # noqa: E402

PICTURE = ROOT / "docs" / "demo.png"
WIDE, NARROW, HEIGHT = 1440, 400, 900
PATIENCE = 120
COLOURS = 64


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as base:
        wide, narrow = shot(base, WIDE, "after a long flight", "en"), shot(base, NARROW, "高热与全身酸痛", "zh")
    beside(wide, narrow, colours=COLOURS).save(PICTURE, optimize=True)
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


def shot(base: str, width: int, patient: str, language: str) -> Image.Image:
    """The page with that patient open."""
    browser = open_browser(width, HEIGHT)
    try:
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False},
        )
        for _ in range(2):  # the second time warm, as the latency shown is to be
            opened(browser, f"{base}/demo/?lang={language}", patient)
        return Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    finally:
        browser.quit()


def opened(browser: webdriver.Chrome, url: str, patient: str) -> None:
    browser.get(url)
    wait = WebDriverWait(browser, PATIENCE)
    wait.until(lambda it: it.find_elements(By.XPATH, f"//button[contains(., '{patient}')]"))[0].click()
    wait.until(lambda it: it.find_elements(By.CSS_SELECTOR, ".card"))
    browser.execute_script("document.activeElement.blur()")


if __name__ == "__main__":
    sys.exit(main())
