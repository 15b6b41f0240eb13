"""What every page promises, looked at in a real browser: WCAG AA by axe, its weight, who may frame it, the keyboard's way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from playwright.sync_api import Frame, Page

AXE = Path(__file__).parent / "renderers" / "node_modules" / "axe-core" / "axe.min.js"
WCAG_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN = "rules => axe.run(document, {runOnly: rules})"
_TRANSFERRED = """() => performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
  .reduce((sum, one) => sum + one.transferSize, 0)"""
_REACHABLE = """() => {
  const usable = one => one.checkVisibility() && !one.disabled && one.tabIndex >= 0;
  window.reachable = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]')]
    .filter(usable);
  document.activeElement.blur();
  return window.reachable.length }"""
_HERE = """() => { const one = document.activeElement;
  return [window.reachable.indexOf(one), getComputedStyle(one).outlineStyle !== 'none'] }"""
_WHAT = "place => window.reachable[place].outerHTML.slice(0, 120)"
_AS_WIDE = "() => document.documentElement.scrollWidth <= innerWidth"
_HANDLERS = (
    "() => [...document.querySelectorAll('*')].some(e => [...e.attributes].some(a => /^on|^style$/.test(a.name)))"
)
_KEPT = """async () => [...Object.keys(localStorage), ...Object.keys(sessionStorage), ...(document.cookie ? [document.cookie] : []),
  ...(await indexedDB.databases()).map(one => one.name), ...await caches.keys()]"""


def violations(page: Page | Frame) -> dict[str, list[str]]:
    """What axe finds against WCAG 2.2 AA: the rule with the first elements."""
    page.evaluate(AXE.read_text(encoding="utf-8") + "; window.axe = axe; true")
    found = page.evaluate(_RUN, WCAG_AA)
    assert len(found["passes"]) > 5, "axe looked at the page"
    return {one["id"]: [node["html"][:200] for node in one["nodes"][:3]] for one in found["violations"]}


def transferred(page: Page) -> int:
    """Bytes over the wire for the page that is open and what it loaded; 0 for what the cache gave."""
    return int(page.evaluate(_TRANSFERRED))


def as_wide_as_its_window(page: Page | Frame) -> bool:
    """Whether nobody has to scroll sideways."""
    return bool(page.evaluate(_AS_WIDE))


def handlers(page: Page) -> bool:
    """Whether an element has a handler or a style of its own as an attribute."""
    return bool(page.evaluate(_HANDLERS))


def taken(page: Page) -> bool:
    """Whether a script of tests.renderers.hostile_cards has run."""
    return bool(page.evaluate("() => 'taken' in window"))


def unreached(page: Page) -> list[str]:
    """Walks once through the page by the Tab key; what could be used but was not reached, or not seen to be."""
    count = page.evaluate(_REACHABLE)
    seen: set[int] = set()
    for _ in range(count + 3):
        page.keyboard.press("Tab")
        place, outlined = page.evaluate(_HERE)
        if outlined:
            seen.add(place)
        if len(seen - {-1}) == count:
            break
    return [page.evaluate(_WHAT, place) for place in range(count) if place not in seen]


def kept(page: Page) -> list[str]:
    """What scripts could find again in the browser: local and session storage, cookies, databases, caches."""
    return list(page.evaluate(_KEPT))


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

    def open(self, page: Page, address: str) -> Frame:
        """Opens the page of the other origin; the frame in it, which shows the address or the browser's refusal."""
        self.framed = address
        page.goto(self.origin)
        return framed(page, "iframe")

    def text(self, page: Page, address: str) -> str:
        """What is read in the frame; empty where the browser refuses to show it."""
        frame = self.open(page, address)
        return (
            "" if frame.evaluate("() => location.protocol") == "chrome-error:" else frame.locator("body").inner_text()
        )


def framed(page: Page, selector: str) -> Frame:
    """The frame that the element holds."""
    frame = page.locator(selector).element_handle().content_frame()
    assert frame is not None
    return frame


@contextmanager
def framing_server() -> Iterator[Framing]:
    framing = Framing()
    yield framing
    framing.server.shutdown()
    framing.server.server_close()
