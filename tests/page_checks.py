"""What every page promises, looked at in a real browser: WCAG AA by axe, its weight, who may frame it, the keyboard's way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

AXE = Path(__file__).parent / "renderers" / "node_modules" / "axe-core" / "axe.min.js"
WCAG_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN = "axe.run(document, {runOnly: arguments[0]}).then(arguments[1])"
_TRANSFERRED = """return performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
  .reduce((sum, one) => sum + one.transferSize, 0)"""
_REACHABLE = """const usable = one => one.checkVisibility() && !one.disabled && one.tabIndex >= 0;
  window.reachable = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]')]
    .filter(usable);
  return window.reachable.length"""
_HERE = """const one = document.activeElement;
  return [window.reachable.indexOf(one), getComputedStyle(one).outlineStyle !== 'none']"""
_WHAT = "return window.reachable[arguments[0]].outerHTML.slice(0, 120)"


def violations(browser: webdriver.Chrome) -> dict[str, list[str]]:
    """What axe finds against WCAG 2.2 AA: the rule with the first elements."""
    browser.execute_script(AXE.read_text(encoding="utf-8") + "; window.axe = axe;")
    browser.set_script_timeout(110)
    found = browser.execute_async_script(_RUN, WCAG_AA)
    assert len(found["passes"]) > 5, "axe looked at the page"
    return {one["id"]: [node["html"][:200] for node in one["nodes"][:3]] for one in found["violations"]}


def transferred(browser: webdriver.Chrome) -> int:
    """Bytes over the wire for the page that is open and what it loaded; 0 for what the cache gave."""
    return int(browser.execute_script(_TRANSFERRED))


def unreached(browser: webdriver.Chrome) -> list[str]:
    """Walks once through the page by the Tab key; what could be used but was not reached, or not seen to be."""
    count = browser.execute_script(_REACHABLE)
    browser.execute_script("document.activeElement.blur()")
    seen: set[int] = set()
    for _ in range(count + 3):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        place, outlined = browser.execute_script(_HERE)
        if outlined:
            seen.add(place)
        if len(seen - {-1}) == count:
            break
    return [browser.execute_script(_WHAT, place) for place in range(count) if place not in seen]


def kept(browser: webdriver.Chrome) -> list[Any]:
    """What scripts could find again in the browser: local and session storage, cookies, databases, caches."""
    simple: list[Any] = browser.execute_script("return [...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
    cookie = browser.execute_script("return document.cookie")
    databases = browser.execute_async_script("indexedDB.databases().then(arguments[0])")
    caches = browser.execute_async_script("caches.keys().then(arguments[0])")
    return [*simple, *([cookie] if cookie else []), *databases, *caches]


class Framing:
    """A page of another origin that shows an address in a frame."""

    def __init__(self) -> None:
        self.framed = ""
        framing = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.end_headers()
                self.wfile.write(f'<iframe src="{framing.framed}" width=400 height=800></iframe>'.encode())

            def log_message(self, *_: Any) -> None:
                """Nothing is logged."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def text(self, browser: webdriver.Chrome, address: str) -> str:
        """What is read in the frame; empty where the browser refuses to show it."""
        self.framed = address
        browser.get(self.origin)
        browser.switch_to.frame(browser.find_element(By.TAG_NAME, "iframe"))
        text = browser.find_element(By.TAG_NAME, "body").text
        refused = browser.execute_script("return location.protocol") == "chrome-error:"
        browser.switch_to.default_content()
        return "" if refused else text


@contextmanager
def framing_server() -> Iterator[Framing]:
    framing = Framing()
    yield framing
    framing.server.shutdown()
    framing.server.server_close()
