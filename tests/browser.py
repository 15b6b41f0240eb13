"""A real browser for the tests of pages: Debian's Chromium, headless, driven by Playwright.

`python -m tests.browser --ensure` finds Chromium, and installs Debian's package where it is missing and may be installed.
Nothing is downloaded besides: Playwright's own browsers are not used. Pages are opened from this machine alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

PROGRAM = "chromium"
PACKAGES = ("chromium", "fonts-noto-cjk")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
UNLIKE_A_READERS = ("--disable-back-forward-cache", "--hide-scrollbars")
"""What Playwright would add, and no reader's browser has: what Back shows and what fits are part of what pages promise."""
PATIENCE_MS = 60_000


def missing() -> str:
    """What is lacking for a browser, with what installs it; empty where nothing is."""
    return "" if shutil.which(PROGRAM) else f"no {PROGRAM}: `make setup-test` installs it"


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Chromium without a page yet.

    While it is open, this thread counts as one with a running event loop: no `asyncio.run`, no second `open_browser`.
    """
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which(PROGRAM), args=ARGUMENTS, ignore_default_args=UNLIKE_A_READERS
        )
        yield browser
        browser.close()


@contextmanager
def open_page(browser: Browser, width: int = 1280, height: int = 900) -> Iterator[Page]:
    """An empty page of an empty profile: no cookies, storage or cache of another page; windows it opens close with it."""
    with browser.new_context(viewport={"width": width, "height": height}) as profile:
        profile.set_default_timeout(PATIENCE_MS)
        yield profile.new_page()


@dataclass
class Heard:
    """What a page has said and asked for since `listen`, its frames and windows with it."""

    console: list[str] = field(default_factory=list)
    """Every line of the console: its level, its address, its text. An uncaught exception is one of level `error`."""
    requests: list[str] = field(default_factory=list)
    """Every address asked for, also one that reached nobody."""

    def faults(self) -> list[str]:
        """Errors in the console; browsers ask for an icon by themselves, whether a page names one or not."""
        return [line for line in self.console if line.startswith("error ") and "favicon" not in line]

    def refused(self) -> list[str]:
        """What the page's policy stopped."""
        return [line for line in self.console if "Content Security Policy" in line]


def listen(page: Page) -> Heard:
    """Listens to the page from here on."""
    heard = Heard()

    def said(message: ConsoleMessage) -> None:
        heard.console.append(f"{message.type} {message.location['url']} {message.text}")

    def asked(request: Request) -> None:
        heard.requests.append(request.url)

    def failed(error: object) -> None:
        heard.console.append(f"error  {error}")

    page.context.on("console", said)
    page.context.on("request", asked)
    page.context.on("weberror", lambda one: failed(one.error))
    return heard


def _install() -> None:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in ([apt, "update", "-qq"], [apt, "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]):
        subprocess.run(command, env=environment, capture_output=True, timeout=600, check=False)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser", description="Is there a browser for the tests?")
    parser.add_argument("--ensure", action="store_true", help="install Debian's Chromium where none is found")
    if parser.parse_args().ensure and missing():
        _install()
    if missing():
        sys.stderr.write(f"no {PROGRAM}: install {' '.join(PACKAGES)} (Debian's names)\n")
        return 1
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True, timeout=60)
    print(said.stdout.strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
