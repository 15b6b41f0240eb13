"""A real browser for the tests of pages: Chromium, headless, driven by Selenium.

`python -m tests.browser --ensure` finds Chromium and its driver, and installs Debian's packages where they are missing
and may be installed. Pages are opened from this machine alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

PROGRAMS = ("chromium", "chromedriver")
PACKAGES = ("chromium", "chromium-driver", "fonts-noto-cjk")


def missing() -> list[str]:
    """The programs that are not on PATH."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


def open_browser(width: int = 1000, height: int = 1400, *, log_network: bool = False) -> webdriver.Chrome:
    """A fresh browser with an empty profile; the caller quits it.

    log_network: `get_log("performance")` then tells every request, also one that reaches nobody.
    """
    options = Options()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument(f"--window-size={width},{height}")
    logged = {"browser": "ALL", **({"performance": "ALL"} if log_network else {})}
    options.set_capability("goog:loggingPrefs", logged)
    return webdriver.Chrome(options=options, service=Service(str(shutil.which("chromedriver"))))


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
        sys.stderr.write(f"no {' and no '.join(missing())}: install {' '.join(PACKAGES)} (Debian's names)\n")
        return 1
    said = subprocess.run([PROGRAMS[0], "--version"], capture_output=True, text=True, check=True, timeout=60)
    print(said.stdout.strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
